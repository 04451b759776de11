# Killed again and again, at any instant and inside of saving, and continued by any number of ranks, every run and every
# study ends with the numbers of one that was never disturbed, bit for bit.  It goes on until $KILLS kills (1000) have hit
# $RANKS ranks.  Three quarters of all kills come by a fault at one of the checks of rank 0, most of which saving passes.
# $SEED chooses the instants.
. "$SOURCE_DIR/tests/e2e/lib.sh"
use_scratch
at_exit() { kill_job; }

cat >run.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1}
model: {layers: [dense 16 relu, batch_norm, dropout 0.1, dense 10 softmax]}
optimizer: {name: adam, ema_momentum: 0.99}
parallel: {reduce: tree, leaves: 8}
train: {batch_size: 32, epochs: 40, monitor: val_accuracy}
run: {checkpoint_every: 10 steps, metrics_every: 5 steps}
EOF
cat >study.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1}
model: {layers: [dense 16 relu, dense 10 softmax]}
optimizer: {name: sgd}
parallel: {reduce: tree, leaves: 4}
run: {checkpoint_every: 0.2 seconds}
study:
  vary: {train.batch_size: [32, 128], optimizer.learning_rate: [0.01, 0.1, 0.5]}
  goal: val_accuracy >= 2
  budget: 1000 epochs
  evaluate_every: 100 epochs
EOF

# --- chance ---------------------------------------------------------------------------------------------------------

seed=${SEED:-$(date +%s)}
chance=$seed
# draw N: $drawn from 0 to N - 1.  The low digits of such a generator are poor.
draw() {
  chance=$(((chance * 1103515245 + 12345) % 2147483648))
  drawn=$((chance / 65536 % $1))
}
draw_ranks() {
  draw 12
  case $drawn in
    0) ranks=1 ;;
    1) ranks=2 ;;
    2) ranks=3 ;;
    3) ranks=8 ;;
    *) ranks=$RANKS ;;
  esac
}

# --- one start, and its end -------------------------------------------------------------------------------------------

n_kills=0 n_in_saving=0 n_at_ranks=0 n_starts=0
# start FIRST N COMMAND...: the program on $ranks ranks, and one of the two ways to kill it: after up to 1.5 s, or at one of
# N checks from the check FIRST on, most of which belong to saving.  Sets $status.
start() {
  first=$1 n=$2
  shift 2
  n_starts=$((n_starts + 1))
  fault=''
  draw 4
  if [ "$drawn" -gt 0 ]; then # some of these checks are not in saving
    draw "$n"
    fault=kill:0:$((drawn + first))
  fi
  TUTTI_FAULT=$fault "$MPIEXEC" -n "$ranks" "$TUTTI" "$@" >start.out 2>start.err &
  job=$!
  if [ -z "$fault" ]; then
    draw 150
    sleep "$(printf '%d.%02d' $((drawn / 100)) $((drawn % 100)))"
    # shellcheck disable=SC2046 # words
    kill -KILL $(family $job) 2>/dev/null
  fi
  status=0
  wait $job || status=$?
  job=''
  if grep 'tutti: error' start.err | grep -v -q 'has ended without a word'; then fail "start $n_starts: $(cat start.err)"; fi
  [ "$status" -ne 0 ] || return 0
  n_kills=$((n_kills + 1))
  [ "$ranks" -ne "$RANKS" ] || n_at_ranks=$((n_at_ranks + 1))
  # Steps pass no such checks, so after the start they belong to saving.
  if grep 'killed in ' start.err | grep -v 'phase start' | grep -qE 'src/(io|checkpoint|metrics|rundir|study)/'; then
    n_in_saving=$((n_in_saving + 1))
  fi
}

# --- runs -------------------------------------------------------------------------------------------------------------

succeed "$RANKS" train run.yaml --run.directory=straight
arrays='/model/weights/dense/kernel /model/weights/dense_1/kernel'
print_weights() { # FOLDER
  for array in $arrays; do "$ARRAYS" print "$1/checkpoint.h5" "$array" || fail "$1: no $array"; done
}
print_weights straight >straight.txt

# A run that is killed until it has ended.
n_runs=0
disturb_run() {
  rm -rf run
  ranks=$RANKS status=1 tries=0
  while [ "$status" -ne 0 ]; do
    start 2700 30000 train run.yaml --run.directory=run
    draw_ranks
    tries=$((tries + 1))
    [ $tries -lt 200 ] || fail "no end after $tries starts"
  done
  print_weights run >run.txt
  cmp run.txt straight.txt || fail "other weights after $tries starts"
  for table in epochs steps; do
    expect_same "$("$ARRAYS" rows run/metrics.h5 $table)" "$("$ARRAYS" rows straight/metrics.h5 $table)"
  done
  expect_same "$(ls run)" "$(ls straight)"
  n_runs=$((n_runs + 1))
}

# --- studies ------------------------------------------------------------------------------------------------------------

succeed "$RANKS" study study.yaml --study.output=straight.h5 --study.ranks_per_trial=2
n_studies=0
disturb_study() {
  rm -rf study.h5 study.h5.d
  ranks=$RANKS status=1 tries=0
  while [ "$status" -ne 0 ]; do
    groups=$((2 - ranks % 2))
    start 3000 6000 study study.yaml --study.ranks_per_trial=$((ranks / groups))
    draw_ranks
    tries=$((tries + 1))
    [ $tries -lt 200 ] || fail "no end after $tries starts"
  done
  expect_same "$("$TRIALS" rows study.h5)" "$("$TRIALS" rows straight.h5)"
  expect_same "$("$TRIALS" curves study.h5)" "$("$TRIALS" curves straight.h5)"
  [ ! -e study.h5.d ] || fail "the folder is left: $(ls study.h5.d)"
  n_studies=$((n_studies + 1))
}

while [ "$n_at_ranks" -lt "${KILLS:-1000}" ]; do
  disturb_run
  disturb_run
  disturb_study
  # shellcheck disable=SC2012 # names of ours
  [ -z "$(ls /dev/shm/tutti.* 2>/dev/null)" ] || fail 'memory is left in /dev/shm'
  echo "$n_kills kills: $n_runs runs, $n_studies studies"
done
echo "seed $seed: $n_kills kills, $n_at_ranks of them at $RANKS ranks and $n_in_saving inside of saving;" \
  "$n_starts starts, $n_runs runs and $n_studies studies ended with the undisturbed bits"
