# A save that fails does not end a training: the disk is full, has no inodes left, a rename is refused, or the folder was removed.
# It is reported once, tried again, and an error only if the last state is not saved at the end.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config
[ "$(id -u)" -eq 0 ] && mkdir disk && mount -t tmpfs -o size=1m,nr_inodes=20 tmpfs disk 2>/dev/null || {
  echo 'skipped: cannot mount a small file system'
  exit 77
}
job=
at_exit() {
  # shellcheck disable=SC2046 # words
  [ -z "$job" ] || kill -KILL $(family "$job") 2>/dev/null
  umount -l "$WORK_DIR/disk" # lazily: a process that was killed may not be gone yet
}
common='train small.yaml --run.directory=disk/run --parallel.reduce=tree --train.batch_size=8 --run.keep=1'

# start ARGUMENT...: trains in the background until something ends it, $job is the launcher.
start() {
  rm -rf disk/run
  # shellcheck disable=SC2086 # words
  "$MPIEXEC" -n "$RANKS" "$TUTTI" $common --train.epochs=1000000 --run.checkpoint_every='50 steps' "$@" \
    >job.out 2>job.err &
  job=$!
  wait_for 'disk/run/checkpoint.h5' '[ -e disk/run/checkpoint.h5 ]'
}

# wait_for WHAT CONDITION
wait_for() {
  waited=0
  until eval "$2"; do
    kill -0 "$job" 2>/dev/null || fail "it has ended before $1: $(cat job.err)"
    waited=$((waited + 1))
    [ $waited -lt 300 ] || fail "no $1 after 30 s: $(cat job.err)"
    sleep 0.1
  done
}
fail_by() { wait_for 'failed save' "$1; grep -F -q 'not saved after step' job.err"; }
says() { wait_for "message '$1'" "grep -F -q -e '$1' job.err"; }

# stop STATUS: the job saves and ends, as its time limit would end it.
stop() {
  kill -USR1 "$job"
  status=0
  wait "$job" || status=$?
  job=
  cp job.out "$out"
  cp job.err "$err"
  note "ended with $status: $(cat job.err)"
  expect_status "$1"
}

# --- the disk is full for a while, three times in three ways -----------------------------------------------------

# A save under way gives its room back, so these are called until a save fails.
fill() { dd if=/dev/zero bs=1k >>disk/ballast 2>/dev/null || true; }
inodes=0
use_inodes() {
  while touch "disk/inode$inodes" 2>/dev/null; do inodes=$((inodes + 1)); done
}
refuse_rename() { mkdir -p disk/run/checkpoint.held.h5; }
free_space() { rm disk/ballast; }
free_inodes() { rm disk/inode*; }
allow_rename() { rmdir disk/run/checkpoint.held.h5; }

for way in 'fill:free_space:No space left' 'use_inodes:free_inodes:No space left' \
  'refuse_rename:allow_rename:cannot rename the last checkpoint'; do
  begin=${way%%:*} rest=${way#*:}
  start
  fail_by $begin
  grep -F 'not saved after step' job.err | grep -F -q 'disk/run/' || fail 'the path is not in the message'
  says "${rest#*:}"
  sleep 1
  kill -0 "$job" || fail 'the training has ended'
  ${rest%%:*}
  says 'saved again, after step'
  stop 75
  expect_count 1 'tutti: warning: not saved'
  expect_text 'saved in disk/run'
  succeed 1 info disk/run/checkpoint.h5
done

# --- it stays full: an error at the end, with the results ------------------------------------------------------

start
fail_by fill
stop 74
expect_count 1 'tutti: error: disk/run/'
expect_text 'No space left' 'unchanged' 'free some space' 'what is saved is of step' 'the same command continues'
expect_no_text 'saved in disk/run'
free_space
succeed 1 info disk/run/checkpoint.h5

# At the end of its budget a training prints its results all the same, and goes on later as if nothing had been.
start --train.epochs=100
fail_by fill
status=0
wait "$job" || status=$?
job=
cp job.out "$out"
cp job.err "$err"
note "ended with $status: $(cat job.err)"
expect_status 74
expect_count 1 'tutti: error: disk/run/'
test_loss=$(value test_loss)
free_space
# shellcheck disable=SC2086 # words
succeed "$RANKS" $common --train.epochs=100 --run.checkpoint_every='50 steps'
expect_text 'continues from disk/run/checkpoint.h5'
expect_same "$(value test_loss)" "$test_loss"

# --- the folder is removed --------------------------------------------------------------------------------------

# All at once: a save in the middle of a slow removal would name the first file that it misses.
start
sleep 1
mv disk/run disk/gone
rm -r disk/gone
says 'its files were removed during the run'
wait_for 'new checkpoint' '[ -e disk/run/checkpoint.h5 ]'
[ -e disk/run/config.yaml ] || fail 'config.yaml is not made again'
[ -e disk/run/.lock ] || fail '.lock is not made again'
refuse 73 'is in use by process' -- train small.yaml --run.directory=disk/run
stop 75
[ ! -e disk/run/.lock ] || fail '.lock stays'
"$ARRAYS" rows disk/run/metrics.h5 epochs >/dev/null || fail 'metrics.h5 has no rows'

# --- too little room is told at the beginning -------------------------------------------------------------------

rm -r disk/run
dd if=/dev/zero of=disk/ballast bs=1k count=900 2>/dev/null
# shellcheck disable=SC2086 # words
run "$RANKS" $common --model.layers='dense 100 relu, dense 10 softmax'
expect_text 'MB are free, and this run needs up to' 'run.keep'
