# A trial that a job has left, by a signal or by a kill, continues from its own checkpoint, in any later job and at any number of
# ranks.  With tree, its row, its curve and what is measured are bit for bit those of a study that nobody disturbed.
. "$SOURCE_DIR/tests/e2e/lib.sh"

use_scratch
at_exit() { kill_job; }

# A trial of some seconds.  Evaluations are not at the ends of epochs, and a checkpoint is seldom at a row of the curve.
epochs=2700
[ -z "${SLOW:-}" ] || epochs=120
cat >study.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1}
model: {layers: [dense 16 relu, batch_norm, dropout 0.1, dense 10 softmax]}
optimizer: {name: adam, learning_rate: 0.001, ema_momentum: 0.99}
train: {monitor: ema_val_loss}
parallel: {reduce: tree, leaves: 4}
run: {checkpoint_every: 0.2 seconds, measure: norms, measure_every: 7 steps}
study:
  vary: {train.batch_size: [32]}
  goal: ema_val_accuracy >= 2
  budget: $epochs epochs
  evaluate_every: 130 steps
  train_rows: 200
EOF
n_ranks=$RANKS
straight() { succeed "$n_ranks" study study.yaml --study.ranks_per_trial="$n_ranks" "$@"; }
straight --study.output=straight.h5

folders() { find study.h5.d -name '*.run' 2>/dev/null; }
done_trials() { find study.h5.d -name '*.h5' -path '*.d/*.h5' ! -path '*.run/*' 2>/dev/null | grep -c .; }

has_new_checkpoint() { find study.h5.d -path '*.run/checkpoint.h5' -newer old | grep -q .; }

# start N: a job of N ranks in the background that has written a checkpoint.
start() {
  touch -t 202001010000 old
  for file in $(find study.h5.d -path '*.run/checkpoint.h5' 2>/dev/null); do touch -t 202001010000 "$file"; done
  "$MPIEXEC" -n "$1" "$TUTTI" study study.yaml --study.ranks_per_trial="$1" >left.out 2>left.err &
  job=$!
  wait_for 60 left.err has_new_checkpoint
}

# A kill loses the steps since the last checkpoint.
start "$RANKS"
sleep 0.3
# shellcheck disable=SC2046
kill -KILL $(family $job) 2>/dev/null
wait $job 2>/dev/null
expect_same "$(done_trials)" 0

# The line tells of the checkpoint.
start 2
sleep 0.2
kill -USR1 $job
status=0
wait $job || status=$?
cp left.err "$err"
note "$(cat left.err)"
expect_status 75
expect_text 'continues from study.h5.d/' 'SIGUSR1 was received' '0 of the 1 trials' '1 of them with a checkpoint'
expect_no_text 'begins from scratch' 'tutti: error'
at=$(sed -n 's/.*continues from study.h5.d.*: step //p' "$err")
[ "$at" -gt 0 ] || fail "it continued from step '$at'"

# Another number of ranks does the rest, and the checkpoints go with the trials.
succeed 3 study study.yaml --study.ranks_per_trial=3
expect_text 'continues from study.h5.d/'
expect_no_text 'begins from scratch'
later=$(sed -n 's/.*continues from study.h5.d.*: step //p' "$err" | head -n 1)
[ "$later" -gt "$at" ] || fail "it continued from step $later, expected more than $at"
[ ! -e study.h5.d ] || fail "the folder is left: $(find study.h5.d)"
expect_same "$("$TRIALS" rows study.h5)" "$("$TRIALS" rows straight.h5)"
expect_same "$("$TRIALS" curves study.h5)" "$("$TRIALS" curves straight.h5)"
expect_same "$("$TRIALS" measured study.h5)" "$("$TRIALS" measured straight.h5)"
[ -n "$("$TRIALS" measured study.h5 | grep '[1-9]')" ] || fail 'nothing was measured'

# One that cannot be written costs nothing.
TUTTI_FAULT=checkpoint.save:0:1
export TUTTI_FAULT
succeed 1 study study.yaml --study.output=unsaved.h5
unset TUTTI_FAULT
expect_text 'the trial continues without a new checkpoint'
expect_same "$("$TRIALS" rows unsaved.h5)" "$("$TRIALS" rows straight.h5)"
expect_same "$("$TRIALS" curves unsaved.h5)" "$("$TRIALS" curves straight.h5)"

# A checkpoint that cannot be used costs its trial, but not the study.
start_damaged() {
  "$MPIEXEC" -n 2 "$TUTTI" study study.yaml --study.output=damaged.h5 --study.ranks_per_trial=2 >left.out 2>left.err &
  job=$!
  until [ -n "$(find damaged.h5.d -path '*.run/checkpoint.h5' 2>/dev/null)" ]; do
    kill -0 $job 2>/dev/null || fail "it has ended: $(cat left.err)"
    sleep 0.05
  done
  kill -USR1 $job
  wait $job
}
start_damaged
job=
for folder in damaged.h5.d/*.run; do echo damaged >"$folder/checkpoint.h5"; done
succeed 2 study study.yaml --study.output=damaged.h5 --study.ranks_per_trial=2
expect_text 'this trial begins from scratch'
[ ! -e damaged.h5.d ] || fail "the folder is left: $(find damaged.h5.d)"
expect_same "$("$TRIALS" rows damaged.h5)" "$("$TRIALS" rows straight.h5)"
