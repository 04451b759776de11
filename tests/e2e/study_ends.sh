# A signal to any rank of any group, or the end of the job's time, ends all groups of a study at once with exit status 75.  Trials
# that are done are kept, one line says what is left, and the same command ends with the results of a study that nobody disturbed.
. "$SOURCE_DIR/tests/e2e/lib.sh"

# Trials of some tenths of a second each, and longer ones at the small batch size.
epochs=150
[ -z "${SLOW:-}" ] || epochs=30
cat >study.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1}
model: {layers: [dense 16 relu, dense 10 softmax]}
optimizer: {name: sgd}
parallel: {reduce: tree, leaves: 4}
study:
  vary:
    train.batch_size: [32, 512]
    optimizer.learning_rate: {from: 0.01, to: 1, points: 6}
  goal: val_accuracy >= 2
  budget: $epochs epochs
  evaluate_every: 5 epochs
  ranks_per_trial: 2
EOF
n_trials=12
succeed "$RANKS" study study.yaml --study.output=straight.h5

# Not the checkpoints below it.
count() { find study.h5.d -maxdepth 1 -name '*.h5' 2>/dev/null | grep -c .; }

has_more_trials() { [ "$(count)" -gt "$begun" ]; }

# start ARGUMENT...: the study in the background, until a trial more than before is done.
start() {
  begun=$(count)
  "$MPIEXEC" -n "$RANKS" "$TUTTI" study study.yaml "$@" >ended.out 2>ended.err &
  job=$!
  wait_for 30 ended.err has_more_trials
}

at_exit() { kill_job; }

# expect_end CAUSE: the job ends soon, with one line that says why, and the trials in the folder are whole.
expect_end() {
  begin=$(date +%s)
  status=0
  wait "$job" || status=$?
  seconds=$(($(date +%s) - begin))
  note "ended after $seconds s: $(cat ended.err)"
  expect_status 75
  expect_quick
  cp ended.err "$err"
  cp ended.out "$out"
  [ "$(grep -c 'the same command continues the study' ended.err)" -eq 1 ] || fail "not one line: $(cat ended.err)"
  expect_text "$1" "of the $n_trials trials of study.h5 are done and kept"
  expect_no_text 'tutti: error'
  for file in study.h5.d/*.h5; do
    "$TRIALS" times "$file" >/dev/null || fail "$file is not whole"
  done
  expect_same "$("$TRIALS" rows study.h5 | grep -c .)" "$(count)"
}

# mpiexec passes it on to all ranks.
start
kill -USR1 $job
expect_end 'SIGUSR1 was received'

# The last rank leads no group.
start
kill -USR2 "$(ranks_of $job | tail -n 1)"
expect_end 'SIGUSR2 was received'

# The key names one more signal.
start --run.signal=SIGURG
kill -URG "$(ranks_of $job | head -n 1)"
expect_end 'SIGURG was received'

# A rank that has nothing to do gets a signal, and waits for the others meanwhile.
"$MPIEXEC" -n "$RANKS" "$TUTTI" study study.yaml --study.output=idle.h5 --study.ranks_per_trial=1 \
  --study.vary='{optimizer.learning_rate: [0.1]}' --study.budget="$((100 * epochs)) epochs" >ended.out 2>ended.err &
job=$!
wait_for 30 ended.err grep -q 'trials, 0 of them done' ended.err
sleep 0.5
for pid in $(ranks_of $job); do
  if tr '\0' '\n' <"/proc/$pid/environ" | grep -q "^OMPI_COMM_WORLD_RANK=$((RANKS - 1))\$"; then kill -USR1 "$pid"; fi
done
status=0
begin=$(date +%s)
wait $job || status=$?
seconds=$(($(date +%s) - begin))
cp ended.err "$err"
note "$(cat ended.err)"
expect_status 75
expect_quick
expect_text 'SIGUSR1 was received' '1 is left'

# There is no time for a whole trial, and some of it is kept for the end.
"$MPIEXEC" -n "$RANKS" "$TUTTI" study study.yaml --run.time_limit='8 seconds' --study.output=late.h5 \
  --study.budget="$((100 * epochs)) epochs" >ended.out 2>ended.err
status=$?
cp ended.err "$err"
expect_status 75
expect_text 'seconds are left of the time of this job' "12 are left"

[ "$(count)" -lt $n_trials ] || fail 'all trials were done before the last signal'
succeed 1 study study.yaml --study.ranks_per_trial=1
[ ! -e study.h5.d ] || fail "the folder is left: $(ls study.h5.d)"
expect_same "$("$TRIALS" rows study.h5)" "$("$TRIALS" rows straight.h5)"
expect_same "$("$TRIALS" curves study.h5)" "$("$TRIALS" curves straight.h5)"
