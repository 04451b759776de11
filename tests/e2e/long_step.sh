# A training whose steps are longer than the second that SIGTERM leaves: what was learned until the step before is saved
# while the step goes on, and the run continues from there with the undisturbed weights.
. "$SOURCE_DIR/tests/e2e/lib.sh"
use_scratch
at_exit() { kill_job; }

# A step is not over before the process is killed, also with a sanitizer.  A launcher takes up to two seconds for it.
width=2048 batch=6144
[ -z "${SLOW:-}" ] || width=512 batch=1024
[ "$RANKS" -eq 1 ] || batch=$((batch * 4))

# An epoch is two steps, after which metrics.h5 gets its rows.  No checkpoint is due before the end.
cat >long.yaml <<EOF
data: {file: $SOURCE_DIR/data/mnist.h5, limit_train: $((2 * batch)), limit_test: 10, validation_split: 0}
model: {layers: [dense $width relu, dense $width relu, dense 10 softmax]}
optimizer: {name: sgd, momentum: 0.9}
parallel: {threads: 1, reduce: tree, leaves: 2}
train: {batch_size: $batch, steps: 4}
run: {checkpoint_every: 1000 steps}
EOF
succeed "$RANKS" train long.yaml --run.directory=straight

# A launcher tells its ranks, and kills them a second later; a single process has no launcher.
if [ "$RANKS" -eq 1 ]; then
  "$TUTTI" train long.yaml --run.directory=run >job.out 2>job.err &
else
  "$MPIEXEC" -n "$RANKS" "$TUTTI" train long.yaml --run.directory=run >job.out 2>job.err &
fi
job=$!
wait_for 60 job.err test -e run/metrics.h5
sleep 0.1
kill -TERM $job
if [ "$RANKS" -eq 1 ]; then
  sleep 0.8
  kill -KILL $job 2>/dev/null
fi
wait $job
status=$?
job=''
note "ended with $status: $(cat job.err)"
# A machine that computes a step in less time has ended it and saved.  Otherwise nothing was done after the line.
if launcher_drops_last_words; then
  succeed 1 info run/checkpoint.h5
  [ "$(value step)" -ge 2 ] || fail "the checkpoint is that of step $(value step)"
elif grep -q 'SIGTERM was received: stopped after step' job.err; then
  [ $status -eq 75 ] || [ "$RANKS" -gt 1 ] || fail "it ended with $status"
else
  succeed 1 info run/checkpoint.h5
  expect_same "$(value step)" 2
  grep -q 'SIGTERM was received during a long step: the state after step 2 is saved in run' job.err ||
    fail "nothing was saved during the step: $(cat job.err)"
fi
succeed "$RANKS" train long.yaml --run.directory=run

# Continuing a process saves its copy, too, without a word: the launcher of Open MPI 5 does so before SIGTERM.
if [ "$RANKS" -eq 1 ]; then
  "$TUTTI" train long.yaml --run.directory=continued >job.out 2>job.err &
  job=$!
  wait_for 60 job.err test -e continued/metrics.h5
  sleep 0.1
  kill -CONT $job
  wait_for 60 job.err test -e continued/checkpoint.h5
  kill -KILL $job
  wait $job
  job=''
  succeed 1 info continued/checkpoint.h5
  expect_same "$(value step)" 2
  succeed 1 train long.yaml --run.directory=continued
fi
for run in straight run; do
  for array in dense/kernel dense_2/kernel; do "$ARRAYS" print $run/checkpoint.h5 /model/weights/$array; done >$run.txt
done
cmp straight.txt run.txt || fail 'other weights'
for table in epochs steps; do
  expect_same "$("$ARRAYS" rows run/metrics.h5 $table)" "$("$ARRAYS" rows straight/metrics.h5 $table)"
done
