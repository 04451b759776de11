# A group that fails: the others come to the end of the trials that they are at, which are kept, and the job ends with
# the one message and the status of that failure.
. "$SOURCE_DIR/tests/e2e/lib.sh"
n_groups=$((RANKS / 2))
n_trials=$((2 * n_groups)) # after a failure there is still one for each group

# Trials that take about a second each.
epochs=2000
[ -z "${SLOW:-}" ] || epochs=300
cat >study.yaml <<EOT
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1, limit_train: 400}
model: {layers: [dense 16 relu, dense 10 softmax]}
optimizer: {name: sgd}
study:
  vary:
    optimizer.learning_rate: {from: 0.01, to: 0.1, points: $n_trials}
  goal: val_accuracy >= 2
  budget: $epochs epochs
  evaluate_every: 100 epochs
  ranks_per_trial: 2
EOT
patience=120 # for those trials
count() { find "$1.d" -name '*.h5' | grep -c .; }

# The last rank, which leads no group, in its first step: the others are at their first trials then, and take no others.
TUTTI_FAULT=step:$((RANKS - 1)):1
export TUTTI_FAULT
refuse 70 "rank $((RANKS - 1)) on" 'fault injected at step' ', optimizer.learning_rate ' -- study study.yaml
expect_text 'the other groups finish the trials that they are at' 'started again it continues'
expect_same "$(count study.h5)" $((n_groups - 1))
# A trial that cannot be kept, on a leader.
TUTTI_FAULT=study.trial:$((RANKS - 2)):1
refuse 70 'fault injected at study.trial' 'trial ' ', optimizer.learning_rate ' -- study study.yaml
unset TUTTI_FAULT
n_kept=$(count study.h5)
[ "$n_kept" -ge $((n_groups - 1)) ] || fail 'a trial is lost'
succeed "$RANKS" study study.yaml
expect_text "study.h5: $n_trials trials, $n_kept of them done"
expect_files . study.h5 study.yaml

# What may be true of one trial alone is told of none.
set -- --study.goal='val_loss <= 0.1' --study.budget='1 steps' --study.output=smooth.h5
succeed "$RANKS" study study.yaml "$@" --study.vary='{train.batch_size: [32], model.label_smoothing: [0.1]}'
expect_no_text 'model.label_smoothing: with'
rm smooth.h5
succeed "$RANKS" study study.yaml "$@" --study.vary='{train.batch_size: [32]}' --model.label_smoothing=0.1
expect_text 'model.label_smoothing: with 0.1 no loss is below'
