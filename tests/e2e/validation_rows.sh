# x_val and y_val of a data file are its validation rows, or it is said why not.  In val.h5 they are the test rows once
# more, so what is measured on them is known.
. "$SOURCE_DIR/tests/e2e/lib.sh"
"$ARRAYS" make . || fail "the arrays cannot be made"
cat >net.yaml <<'EOF'
data: {file: val.h5}
model: {layers: [dense 5 relu, dense 3 softmax]}
train: {batch_size: 8, epochs: 2}
EOF

succeed "$RANKS" train net.yaml --data.x_val=x_val --train.monitor=val_loss --run.directory=own
expect_text '20 training, 6 validation'
test_loss=$(value test_loss)
succeed "$RANKS" eval own/checkpoint.h5 --split=validation
expect_text 'samples 6'
expect_close "$(value loss)" "$test_loss" 1e-5
succeed "$RANKS" eval own/checkpoint.h5 --split=train
expect_text 'samples 20'

# Without a key as well, and nothing is trained on them.
succeed "$RANKS" train net.yaml --run.directory=default
expect_text '20 training, 6 validation'
expect_close "$(value test_loss)" "$test_loss" 1e-5
succeed "$RANKS" train net.yaml --data.x_val=none --run.directory=none
expect_text '20 training' "val.h5: array 'x_val' is not used: data.x_val is none"
expect_no_text '6 validation'
expect_close "$(value test_loss)" "$test_loss" 1e-5

[ "$RANKS" -eq 1 ] || exit 0

# Of another file only the rows of the split have to be there.
succeed 1 train net.yaml --data.x_val=x_test --data.y_val=y_test --run.directory=other
succeed 1 eval other/checkpoint.h5 --data.file=sound.h5 --split=validation
expect_close "$(value loss)" "$test_loss" 1e-5
refuse 65 x_val -- eval own/checkpoint.h5 --data.file=sound.h5 --split=validation
succeed 1 eval own/checkpoint.h5 --data.file=sound.h5 --split=train

succeed 1 train net.yaml --data.validation_split=0.2 --run.directory=split
expect_text '16 training, 4 validation' "val.h5: array 'x_val' is not used: data.validation_split holds out"
refuse 65 "'y_val'" -- train net.yaml --data.file=val_half.h5
succeed 1 train net.yaml --data.file=val_half.h5 --data.x_val=none --run.directory=half
refuse 65 "'x_dev'" -- train net.yaml --data.x_val=x_dev
refuse 78 train.monitor data.x_val -- train net.yaml --train.monitor=val_loss
refuse 65 train.monitor "no array 'x_val'" -- \
  train net.yaml --data.file=sound.h5 --data.x_val=x_val --train.monitor=val_loss
refuse 65 schedule.decay "no array 'x_val'" -- \
  train net.yaml --data.file=sound.h5 --data.x_val=x_val --schedule.decay=plateau

# A run that went without such rows goes on with them.
succeed 1 train net.yaml --data.file=sound.h5 --run.directory=late
succeed 1 train net.yaml --run.resume=late/checkpoint.h5 --run.directory=later --train.epochs=4
expect_text '6 validation'

# What was trained on may be a validation row of other keys, or of other data: that is said.
succeed 1 train net.yaml --model.weights=split/checkpoint.h5 --data.validation_split=0.4 --run.directory=more
expect_text 'model.weights: split/checkpoint.h5 was trained on rows that are validation rows now' \
  'data.validation_split was 0.2 there and is 0.4 now; leave these keys'
succeed 1 train net.yaml --model.weights=split/checkpoint.h5 --data.validation_split=0.2 --train.seed=5 --run.directory=as
expect_text 'the validation rows stay those that train.seed 0 has drawn'
expect_no_text 'was trained on rows'
succeed 1 train net.yaml --model.weights=split/checkpoint.h5 --run.directory=own_rows
expect_no_text 'was trained on rows'
succeed 1 train net.yaml --data.file=sound.h5 --data.validation_split=0.2 --train.steps=0 --run.directory=zero
succeed 1 train net.yaml --model.weights=zero/checkpoint.h5 --data.file=sound.h5 --data.validation_split=0.4 \
  --run.directory=untrained
expect_no_text 'was trained on rows'
succeed 1 train net.yaml --run.resume=split/checkpoint.h5 --data.x_train=x_test --data.y_train=y_test \
  --data.validation_split=0.2 --train.epochs=4 --run.directory=elsewhere
expect_text 'run.resume: split/checkpoint.h5 was trained on other data than those of val.h5' \
  'give validation rows as an array, with data.x_val and data.validation_split=0'
