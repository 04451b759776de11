# A rank that is stopped or hangs ends the whole job within ten seconds, with one message that names it.  A rank that is only slow
# does not, and neither does a job that is stopped as a whole.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config
train='train small.yaml --train.epochs=100000 --run.directory=runs/hang'
limit=10

# Starts a training in the background, $job is the launcher, and waits for its first checkpoint.
start() {
  rm -rf runs
  # shellcheck disable=SC2086 # words
  "$MPIEXEC" -n "$RANKS" "$TUTTI" $train "$@" >hang.out 2>hang.err &
  job=$!
  wait_for 30 hang.err [ -e runs/hang/checkpoint.h5 ]
}

at_exit() { kill_job; }

# expect_end [TEXT...]: the job ends in time, and one message has all texts.
expect_end() {
  begin=$(date +%s)
  wait "$job" && fail 'mpiexec says that all went well'
  seconds=$(($(date +%s) - begin))
  note "ended after $seconds s: $(cat hang.err)"
  [ "$seconds" -le "$limit" ] || fail "it ended after $seconds s, expected at most $limit"
  [ "$(grep -c '^tutti: error: ' hang.err)" -eq $(($# > 0)) ] || fail "not one message: $(cat hang.err)"
  for text; do
    grep '^tutti: error: ' hang.err | grep -F -q -e "$text" || fail "the message does not say: $text"
  done
  for pid in $members; do
    if is_running "$pid"; then fail "process $pid is still there"; fi
  done
}

for reduce in shared flat tree; do
  start --parallel.reduce=$reduce
  members=$(ranks_of $job)
  stopped=$(echo "$members" | sed -n 2p)
  kill -STOP "$stopped"
  expect_end "(process $stopped, in phase '" 'has not answered for'
  succeed 1 info runs/hang/checkpoint.h5
done

# A rank that ends without a word is missed at once.
start
members=$(ranks_of $job)
ended=$(echo "$members" | sed -n 2p)
kill -KILL "$ended"
if launcher_drops_last_words; then
  # What is seen is the launcher's own message.
  expect_end
  tr '\n' ' ' <hang.err | grep -q "PID $ended .*signal 9" || fail "nothing names process $ended"
else
  expect_end "(process $ended, in phase '" 'has ended without a word: it was killed, or it has crashed'
fi
succeed 1 info runs/hang/checkpoint.h5

# The threads of this rank go on, but it computes nothing.
TUTTI_FAULT=hang:1:500
export TUTTI_FAULT
start
unset TUTTI_FAULT
members=$(ranks_of $job)
expect_end "in phase 'compute') has computed nothing for"

# All ranks stop together, as in a batch system that suspends jobs, and continue.
start
members=$(ranks_of $job)
# shellcheck disable=SC2086 # words
kill -STOP $members
sleep 8
# shellcheck disable=SC2086
kill -CONT $members
sleep 2
for pid in $members; do
  is_running "$pid" || fail "the job did not continue: $(cat hang.err)"
done

# The check can be switched off.
stopped=$(echo "$members" | sed -n 2p)
kill -KILL $job
wait $job 2>/dev/null
export TUTTI_WATCHDOG=no
start
members=$(ranks_of $job)
stopped=$(echo "$members" | sed -n 2p)
kill -STOP "$stopped"
sleep 8
for pid in $members; do
  is_running "$pid" || fail "TUTTI_WATCHDOG=no: process $pid has ended: $(cat hang.err)"
done
TUTTI_WATCHDOG=soon
refuse 64 'TUTTI_WATCHDOG=soon' "'no' or a number of seconds" -- train small.yaml --run.directory=runs/other
