# A bad config gives one message with file, line, key, the given value and what is allowed, and status 78.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config

# spoil NAME SED-COMMAND: a copy of small.yaml that is wrong in one place.
spoil() { sed -e "$2" small.yaml >"$1.yaml"; }

# Nothing may change in the run directory of a training that is done.
succeed "$RANKS" train small.yaml
before=$(fingerprint runs/small)

spoil section 's/^train:/trian:/'
refuse 78 section.yaml:11: "'trian'" "did you mean train" -- train section.yaml --run.directory=runs/small
spoil key 's/batch_size/batchsize/'
refuse 78 key.yaml:11: batchsize "did you mean train.batch_size" -- train key.yaml --run.directory=runs/small
spoil layer 's/dense 16 relu/dnese 16 relu/'
refuse 78 layer.yaml:7: "'dnese'" "did you mean dense" -- train layer.yaml --run.directory=runs/small
refuse 78 --train.batch_size "'0'" "from 1" -- train small.yaml --train.batch_size=0
refuse 66 missing.yaml -- train missing.yaml
# Another network or update rule than that of the checkpoint.
refuse 78 runs/small/checkpoint.h5 model.layers "dense 17" run.directory run.resume=no -- \
  train small.yaml --model.layers='dense 17 relu, dense 10 softmax'
refuse 78 runs/small/checkpoint.h5 optimizer.name adam sgd -- train small.yaml --optimizer.name=sgd
expect_same "$(fingerprint runs/small)" "$before"

# The rest is the same at any number of ranks.
[ "$RANKS" -eq 1 ] || exit 0

refuse 78 "'rleu'" "did you mean relu" -- train small.yaml --model.layers='dense 16 rleu, dense 10 softmax'
refuse 78 "'he_unifrom'" "he_uniform" -- \
  train small.yaml --model.layers='dense 16 relu initializer=he_unifrom, dense 10 softmax'
refuse 78 --model.initializer "'glorot'" glorot_uniform -- train small.yaml --model.initializer=glorot
refuse 78 --model.label_smoothing "'1'" 'below 1' -- train small.yaml --model.label_smoothing=1
refuse 78 model.label_smoothing mean_squared_error -- train small.yaml --model.label_smoothing=0.1 \
  --model.layers='dense 1' --model.loss=mean_squared_error
refuse 78 --model.loss "'crossentropy'" categorical_crossentropy -- train small.yaml --model.loss=crossentropy
refuse 78 --optimizer.name "'adma'" "did you mean adam" -- train small.yaml --optimizer.name=adma
refuse 78 --parallel.reduce "'fast'" flat -- train small.yaml --parallel.reduce=fast
refuse 78 dropout "'1.5'" -- train small.yaml --model.layers='dense 16 relu, dropout 1.5, dense 10 softmax'
refuse 78 dense "'0'" -- train small.yaml --model.layers='dense 0 relu, dense 10 softmax'
refuse 78 dense "'many'" -- train small.yaml --model.layers='dense many, dense 10 softmax'
refuse 78 --train.batch_size "'-32'" "from 1" -- train small.yaml --train.batch_size=-32
refuse 78 --train.batch_size "'many'" "whole number" -- train small.yaml --train.batch_size=many
refuse 78 --train.batch_size "'32.5'" "whole number" -- train small.yaml --train.batch_size=32.5
refuse 78 --train.batch_size nothing -- train small.yaml --train.batch_size=
refuse 78 --train.epochs "'0'" -- train small.yaml --train.epochs=0
refuse 78 --train.seed "'-1'" -- train small.yaml --train.seed=-1
refuse 78 --optimizer.learning_rate "'-0.1'" -- train small.yaml --optimizer.learning_rate=-0.1
refuse 78 --optimizer.learning_rate "'nan'" -- train small.yaml --optimizer.learning_rate=nan
refuse 78 --optimizer.learning_rate "'1e400'" -- train small.yaml --optimizer.learning_rate=1e400
refuse 78 --data.validation_split "'1'" -- train small.yaml --data.validation_split=1
refuse 78 --run.checkpoint_every "'5 parsecs'" epochs -- train small.yaml --run.checkpoint_every='5 parsecs'
refuse 78 --train.stop_at "val_acc" -- train small.yaml --train.stop_at='val_acc >= 0.9'
refuse 78 train.stop_at data.validation_split -- \
  train small.yaml --data.validation_split=0 --train.stop_at='val_loss <= 0.9'
refuse 78 train.epochs train.steps -- train small.yaml --train.epochs=2 --train.steps=9
spoil initials 's/batch_size/bs/'
refuse 78 initials.yaml:11: "'bs'" "did you mean train.batch_size" -- train initials.yaml
spoil twice 's/epochs: 2/batch_size: 64/'
refuse 78 twice.yaml:11: batch_size -- train twice.yaml
spoil flow 's/^optimizer: .*/optimizer: {name: adam/'
refuse 78 flow.yaml:1 -- train flow.yaml
spoil no_layers '/^model/,/softmax/d'
refuse 78 no_layers.yaml model.layers "dense 10 softmax" -- train no_layers.yaml
refuse 78 data.file --data.file -- train --model.layers='dense 10 softmax'
: >empty.yaml
refuse 78 empty.yaml data.file -- train empty.yaml
mkdir folder.yaml
refuse 74 folder.yaml -- train folder.yaml
refuse 64 digits.h5 "not a config" "--data.file=" -- train "$SOURCE_DIR/data/digits.h5"
refuse 78 key.yaml:11: batchsize -- info key.yaml

# A schedule that does not fit leaves no folder.
for resume in auto no; do
  refuse 78 'schedule.warmup is 99 steps' '4 steps' -- train small.yaml --run.directory=runs/never --train.steps=4 \
    --schedule.warmup='99 steps' --run.resume=$resume
  [ ! -e runs/never ] || fail "an empty run directory is left, with run.resume=$resume"
done

# A batch larger than the data is allowed, with one warning.
succeed 3 train small.yaml --train.batch_size=5000 --run.directory=runs/large
expect_count 1 'tutti: warning: train.batch_size '
expect_text 5000 1294
expect_same "$(fingerprint runs/small)" "$before"
