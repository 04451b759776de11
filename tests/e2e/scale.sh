# data.scale: what is said where the scaling that nobody chose hardly suits the rows.
. "$SOURCE_DIR/tests/e2e/lib.sh"

# table NAME ROW...: NAME.h5 of these rows, as bytes with BYTES=--bytes=yes.
table() {
  name=$1
  shift
  printf '%s\n' a,b,y "$@" >"$name.csv"
  # shellcheck disable=SC2086 # an option, or nothing
  succeed 1 import csv "$name.csv" --label=y --kind=classes --test_fraction=0 --output="$name.h5" ${BYTES-}
}
# train FILE OPTION...
train() {
  file=$1
  shift
  succeed "$RANKS" train --data.file="$file" --model.layers='dense 2 softmax' --train.steps=1 --run.directory=run \
    --run.resume=no "$@"
}
table pixels 0,200,p 9,1,q 255,0,p
train pixels.h5
expect_count 1 "tutti: warning: pixels.h5: array 'x_train' contains whole numbers from 0 to 255 .* data.scale: unit"
# A study says it once, not in each trial.
succeed "$RANKS" study --data.file=pixels.h5 --model.layers='dense 2 softmax' --study.vary.train.batch_size='[1, 2]' \
  --study.goal='val_loss <= 9' --data.validation_split=0.4 --study.budget='2 steps'
expect_count 1 'tutti: warning: pixels.h5: '

# An autoencoder: pictures are targets as well, flattened and scaled as they are.
"$ARRAYS" make . || fail 'the arrays cannot be made'
succeed "$RANKS" train --data.file=images.h5 --data.y_train=x_train --model.layers='dense 8 relu, dense 36 sigmoid' \
  --model.loss=binary_crossentropy --optimizer.name=adam --optimizer.learning_rate=0.1 --train.epochs=100 --run.directory=auto
succeed "$RANKS" eval auto/checkpoint.h5 --split=train
awk -v loss="$(value loss)" 'BEGIN { exit !(loss < 0.1) }' || fail 'the pictures are not given back'
succeed "$RANKS" predict auto/checkpoint.h5 images.h5:x_train out.h5

# The rest is the same at any number of ranks.
[ "$RANKS" -eq 1 ] || exit 0
# By whatever name: what is not scaled as the features are is no probability here.
for name in y_hard y_soft y_external y_virtual; do
  train images.h5 --data.y_train=$name --model.layers='dense 36 sigmoid' --model.loss=binary_crossentropy
done
BYTES=--bytes=yes table bits 0,1,p 1,1,q 1,0,p
BYTES=--bytes=yes table bytes 0,200,p 9,1,q 255,0,p
table far 0.001,200,p 0.002,900,q 0.001,100,p
table near 0.1,20,p 0.2,9,q 0.1,10,p
train bits.h5
expect_count 1 "tutti: warning: bits.h5: array 'x_train' contains bytes that are all 0 or 1.* data.scale: none"
train far.h5
expect_count 1 'tutti: warning: far.h5: .*(column 1, from 0, spans 800, column 0 spans 0.001).* standardize_features'
for file in bytes near; do
  train $file.h5
  expect_no_text data.scale
done
for file in bits far; do
  train $file.h5 --data.scale=none
  expect_no_text data.scale
done

# Other rows are the same numbers / 255, and no type tells: a warning in training, eval and predict.
table parts 0,0.8,p 0.2,1,q 0.6,0,p
succeed 1 eval run/checkpoint.h5 --data.file=near.h5 --split=train
expect_no_text 'stored as bytes'
train parts.h5
expect_no_text 'stored as bytes'
succeed 1 eval run/checkpoint.h5 --data.file=pixels.h5 --split=train
expect_count 1 "tutti: warning: pixels.h5: array 'x_train' contains whole numbers 0 to 255, but .* trained on bytes / 255"
train pixels.h5
succeed 1 predict run/checkpoint.h5 parts.h5:x_train out.h5
expect_count 1 "tutti: warning: parts.h5: array 'x_train' contains bytes / 255, but .* trained on whole numbers 0 to 255"
# Once, not in each trial of a study, or by each of its groups.
succeed "$RANKS" study --data.file=parts.h5 --model.layers='dense 2 softmax' --model.weights=run/checkpoint.h5 --study.output=parts.study.h5 \
  --study.vary.train.batch_size='[1, 2]' --study.seeds=3 --study.goal='loss <= 0' --study.budget='2 steps' --study.train_rows=3
expect_count 1 "tutti: warning: parts.h5: array 'x_train' contains bytes / 255, but .* trained on whole numbers 0 to 255"

# Targets that float32 hardly tells apart.
printf '%s\n' a,y 1,1600000040 2,1600000300 3,1600000020 >times.csv
succeed 1 import csv times.csv --label=y --kind=regression --test_fraction=0 --output=times.h5
succeed 1 train --data.file=times.h5 --model.layers='dense 1' --train.steps=1 --run.directory=times
expect_count 1 "tutti: warning: times.h5: the targets of array 'y_train', column 0 .* 2 steps .*subtract an offset"
printf '%s\n' a,y 1,40 2,300 3,20 >times.csv
succeed 1 import csv times.csv --label=y --kind=regression --test_fraction=0 --output=times.h5
succeed 1 train --data.file=times.h5 --model.layers='dense 1' --train.steps=1 --run.directory=times --run.resume=no
expect_no_text 'subtract an offset'
