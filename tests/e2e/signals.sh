# A signal, or the end of the time, saves and ends a run with exit status 75; the same command continues, and with `tree` the
# weights are those of a run that was never disturbed.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config
train='train small.yaml --train.epochs=1200 --run.checkpoint_every=0 --parallel.reduce=tree'

use_scratch
at_exit() { kill_job; }

# shellcheck disable=SC2086 # words
succeed "$RANKS" $train --run.directory=runs/straight

# start ARGUMENT...: a training in the background, $job is its first process; until its first epoch is done.  A shell starts
# processes in the background with SIGINT ignored; env undoes this.
start() {
  rm -f signal.err
  if [ "$RANKS" -eq 1 ]; then
    # shellcheck disable=SC2086
    env --default-signal=INT "$TUTTI" $train "$@" >signal.out 2>signal.err &
  else
    # shellcheck disable=SC2086
    "$MPIEXEC" -n "$RANKS" "$TUTTI" $train "$@" >signal.out 2>signal.err &
  fi
  job=$!
  wait_for 30 signal.err grep -q '^epoch ' signal.err
}

# The last of its ranks.
a_rank() { ranks_of "$job" | tail -n 1; }

# stopped STATUS TEXT: the job ends soon, and one line has the text.
stopped() {
  begin=$(date +%s)
  status=0
  wait "$job" || status=$?
  job=
  note "ended with $status: $(cat signal.err)"
  expect_status "$1"
  [ $(($(date +%s) - begin)) -le "$patience" ] || fail "not over within $patience s"
  [ "$(grep -c -F -e "$2" signal.err)" -eq 1 ] || fail "not one line says: $2"
  grep -F -q 'the same command continues' signal.err || fail 'nothing says how to go on'
}

# Each signal that ends a run, to one rank alone, at any place; the run is always the same one.
for signal in USR1 USR2 TERM INT HUP XCPU; do
  start --run.directory=runs/signal
  kill -$signal "$(a_rank)"
  stopped 75 "SIG$signal was received"
done

# take_step RUN: set $step to that of its checkpoint.
take_step() {
  succeed 1 info "$1/checkpoint.h5"
  step=$(value step)
}

# The launcher passes USR1 on, and keeps the status.  TERM leaves a second (a quarter of one with Open MPI 5), which is enough
# here; its status is the launcher's.
if [ "$RANKS" -gt 1 ]; then
  start --run.directory=runs/signal
  kill -USR1 $job
  stopped 75 'SIGUSR1 was received'
  take_step runs/signal
  before=$step
  start --run.directory=runs/signal
  kill -TERM $job
  if launcher_drops_last_words; then
    wait $job
    expect_same $? 1
    job=
  else
    stopped 1 'SIGTERM was received'
  fi
  take_step runs/signal
  [ "$step" -gt "$before" ] || fail "nothing was saved after step $before"
fi

# A signal that a key names, a limit, and the end of the job as the batch system tells it.
start --run.directory=runs/signal --run.signal=SIGURG
kill -URG "$(a_rank)"
stopped 75 'SIGURG was received'
# expect_time_out ARGUMENT...: the time is too short for the run.
expect_time_out() {
  # shellcheck disable=SC2086
  run "$RANKS" $train "$@"
  expect_status 75
  expect_text 'seconds are left' 'stopped after step' 'the same command continues'
}
expect_time_out --run.directory=runs/limit --run.time_limit='5 seconds'
# The first save of a small network takes no seconds, and training goes on once that is known.
succeed 1 info runs/limit/checkpoint.h5
[ "$RANKS" -gt 1 ] || [ "$(value step)" -gt 5 ] || fail "it ended after step $(value step)"
SLURM_JOB_END_TIME=$(($(date +%s) + 3))
export SLURM_JOB_END_TIME
expect_time_out --run.directory=runs/signal
unset SLURM_JOB_END_TIME

# All these interruptions have changed nothing.
# shellcheck disable=SC2086
succeed "$RANKS" $train --run.directory=runs/signal
for name in straight signal; do
  succeed 1 predict runs/$name/checkpoint.h5 "$SOURCE_DIR/data/digits.h5" $name.h5
  "$ARRAYS" print $name.h5 predictions >$name.txt
done
cmp -s straight.txt signal.txt || fail 'the interrupted run has other weights'
expect_same "$("$ARRAYS" rows runs/signal/metrics.h5 epochs)" 1200

# A log that is closed does not end a run.
# shellcheck disable=SC2086
{ "$TUTTI" $train --train.epochs=20 --run.directory=runs/closed 2>&1 >closed.out && echo ended >closed; } | head -2 >head
succeed 1 info runs/closed/checkpoint.h5
expect_same "$(value step)" 820
[ -e closed ] || fail "it did not end well: $(cat head)"

# A second request ends the process at once, although its step is long.
if [ "$RANKS" -eq 1 ]; then
  "$TUTTI" train small.yaml --train.batch_size=1294 --train.micro_batch_size=1 --train.epochs=100000 \
    --model.layers='dense 4096 relu, dense 4096 relu, dense 10 softmax' --data.validation_split=0 \
    --run.directory=runs/twice >signal.out 2>signal.err &
  job=$!
  sleep 3
  kill -TERM $job
  sleep 1.5
  kill -TERM $job
  begin=$(date +%s)
  status=0
  wait $job || status=$?
  job=
  expect_status 143
  [ $(($(date +%s) - begin)) -le 1 ] || fail 'the second signal did not end it at once'
fi
