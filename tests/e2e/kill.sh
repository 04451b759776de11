# Killed at any moment: the last complete checkpoint loads, and what goes on from it is the run that was never killed.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config

use_scratch

echo 'run: {checkpoint_every: 5 steps, metrics_every: 1 step}' >>small.yaml
train='train small.yaml --train.epochs=60'
# shellcheck disable=SC2086 # words
succeed "$RANKS" $train --run.directory=runs/straight
straight=$(value test_loss)

# start: a training in the background, $job is the launcher; until it has saved something new.
start() {
  touch mark
  # shellcheck disable=SC2086 # words
  "$MPIEXEC" -n "$RANKS" "$TUTTI" $train --run.directory=runs/killed >killed.out 2>killed.err &
  job=$!
  waited=0
  until [ -n "$(find runs/killed -name checkpoint.h5 -newer mark 2>/dev/null)" ]; do
    kill -0 $job 2>/dev/null || return 0
    waited=$((waited + 1))
    [ $waited -lt 300 ] || fail "no checkpoint after 30 s: $(cat killed.err)"
    sleep 0.1
  done
}

# Memory of ours that these processes shared is gone with them.
expect_no_memory() {
  for pid; do
    for segment in /dev/shm/tutti."$pid".*; do
      [ ! -e "$segment" ] || fail "$segment is left"
    done
  done
}

n_killed=0
last_step=0
for pause in 0.05 0.21 0.1 0.33 0.14 0.27; do
  start
  sleep $pause
  members=$(family $job)
  # shellcheck disable=SC2086 # words
  if kill -KILL $members 2>/dev/null; then n_killed=$((n_killed + 1)); fi
  wait $job 2>/dev/null
  # shellcheck disable=SC2086
  expect_no_memory $members
  succeed 1 info runs/killed/checkpoint.h5
  step=$(value step)
  note "killed after $pause s: step $step"
  [ "$step" -ge "$last_step" ] || fail "step $step is before step $last_step of the kill before"
  [ $((step % 5)) -eq 0 ] || [ "$step" -eq 2460 ] || fail "a checkpoint at step $step was not due"
  last_step=$step
  succeed 1 info runs/killed/metrics.h5
done
[ $n_killed -ge 3 ] || fail "only $n_killed runs were killed before their end"

# At another number of ranks.  The history is whole, and the temporary files of the dead are removed.
# shellcheck disable=SC2086
succeed $((4 - RANKS)) $train --run.directory=runs/killed
expect_close "$(value test_loss)" "$straight" 1e-4
expect_same "$(value step)" 2460
expect_files runs/killed config.yaml metrics.h5 checkpoint.h5 checkpoint.prev.h5
for table in epochs steps; do
  expect_same "$("$ARRAYS" rows runs/killed/metrics.h5 $table)" "$("$ARRAYS" rows runs/straight/metrics.h5 $table)"
done

# Ctrl-C and a polite end: over within seconds, no rank is left, and what was saved is whole.
train="$train --train.epochs=4000"
for signal in INT TERM; do
  start
  members=$(family $job)
  # Meanwhile the folder is taken.
  # shellcheck disable=SC2086
  refuse 73 'runs/killed is in use' run.directory -- $train --run.directory=runs/killed
  begin=$(date +%s)
  kill -$signal $job
  wait $job 2>/dev/null && fail "SIG$signal: mpiexec says that all went well"
  [ $(($(date +%s) - begin)) -le "$patience" ] || fail "SIG$signal: not over within $patience s"
  sleep 0.5
  for pid in $members; do
    if is_running "$pid"; then fail "SIG$signal: process $pid is still there"; fi
  done
  # shellcheck disable=SC2086
  expect_no_memory $members
  succeed 1 info runs/killed/checkpoint.h5
done
