# What goes wrong while a training begins or runs: the whole job ends, and what was saved is whole.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config
succeed "$RANKS" train small.yaml
test_loss=$(value test_loss)
before=$(fingerprint runs/small)

# --- one rank fails ---------------------------------------------------------------------------------------------

# faulty SITE:RANK:NTH: the training goes on, and this pass of this rank fails.
faulty() {
  TUTTI_FAULT=$1
  export TUTTI_FAULT
  refuse 70 "${1%%:*}" -- train small.yaml --train.epochs=3
  unset TUTTI_FAULT
}
last=$((RANKS - 1))
faulty dataset.open:0:1
faulty reducer:$last:1
expect_same "$(fingerprint runs/small)" "$before"
# This one has begun, with its config; the checkpoints and the rows until then stay.
checkpoints() { fingerprint runs/small | grep checkpoint; }
saved=$(checkpoints)
faulty step:$last:7
expect_same "$(checkpoints)" "$saved"
expect_same "$("$ARRAYS" rows runs/small/metrics.h5 epochs)" 2
before=$(fingerprint runs/small)

# --- a loss that is not finite ----------------------------------------------------------------------------------

run "$RANKS" train small.yaml --run.directory=runs/diverged --optimizer.name=sgd --run.checkpoint_every='1 step' \
  --optimizer.learning_rate=1e20 --model.layers='dense 16 relu, dense 1' --model.loss=mean_squared_error
expect_status 79
expect_quick
expect_count 1 'tutti: error: the loss is not finite at step '
expect_text 'first in layer dense' 'learning rate 1e+20' optimizer.learning_rate
succeed 1 info runs/diverged/checkpoint.h5

# A row that is too large is named, with the rank that had it.
awk 'BEGIN { for (i = 0; i < 40; i++) print (i == 13 || i == 22 ? "3e38" : i / 40) ",0.5," i % 7 }' >odd.csv
succeed 1 import csv odd.csv --label=3 --test_fraction=0 --output=odd.h5 --kind=regression --header=no
run "$RANKS" train --data.file=odd.h5 --model.layers='dense 4, dense 1' --train.batch_size=40 --train.epochs=1 \
  --run.directory=runs/odd
expect_status 79
expect_text 'the loss is not finite at step 1 (epoch 1), ' 'in layer dense on rank ' ' 13' 'of x_train'

# --- where nothing can be written -------------------------------------------------------------------------------

echo 'not a folder' >file
refuse 73 file 'file of that name' -- train small.yaml --run.directory=file/run
refuse 73 file -- train small.yaml --run.directory=file
[ "$(cat file)" = 'not a folder' ] || fail 'the file has changed'

# --- another training's checkpoint ------------------------------------------------------------------------------

refuse 65 runs/small/checkpoint.h5 /model/weights/dense/kernel '64 x 16' '64 x 17' -- \
  train small.yaml --run.directory=runs/other --run.resume=runs/small/checkpoint.h5 \
  --model.layers='dense 17 relu, dropout 0.1, dense 10 softmax'
refuse 66 missing.h5 -- train small.yaml --run.directory=runs/other --run.resume=missing.h5
[ ! -e runs/other/checkpoint.h5 ] || fail 'a checkpoint was made all the same'
# A damaged checkpoint: the one before it does, and that is said.
cp -R runs/small runs/damaged
head -c 5000 runs/small/checkpoint.h5 >runs/damaged/checkpoint.h5
succeed "$RANKS" train small.yaml --run.directory=runs/damaged
expect_count 1 'tutti: warning: checkpoint '
expect_text runs/damaged/checkpoint.h5 'continues from runs/damaged/checkpoint.prev.h5'
expect_close "$(value test_loss)" "$test_loss" 1e-4
# Both damaged: not silently anew.
head -c 5000 runs/small/checkpoint.h5 >runs/damaged/checkpoint.h5
head -c 5000 runs/small/checkpoint.h5 >runs/damaged/checkpoint.prev.h5
refuse 65 runs/damaged -- train small.yaml --run.directory=runs/damaged

# A directory with another training makes room for a run from elsewhere, but not before that can begin.
cp -R runs/small runs/taken
cp runs/small/checkpoint.h5 runs/taken/best.h5
echo 'not of the run' >runs/taken/best.txt
taken=$(fingerprint runs/taken)
head -c 5000 runs/small/checkpoint.h5 >cut.h5
refuse 65 cut.h5 -- train small.yaml --run.directory=runs/taken --run.resume=cut.h5 --optimizer.learning_rate=0.01
refuse 66 missing.h5 -- train small.yaml --run.directory=runs/taken --run.resume=missing.h5 \
  --optimizer.learning_rate=0.01
ln -s ../runs/taken/checkpoint.prev.h5 runs/link.h5
for own in auto runs/taken/checkpoint.prev.h5 runs/link.h5; do
  refuse 78 'runs/taken/checkpoint.h5 belongs to another training' 'optimizer.learning_rate was 0.001' -- \
    train small.yaml --run.directory=runs/taken --run.resume=$own --optimizer.learning_rate=0.01
done
expect_same "$(fingerprint runs/taken)" "$taken"
rm runs/link.h5 runs/taken/best.txt
taken=$(fingerprint runs/taken)
taking() {
  set -- train small.yaml --run.directory=runs/taken --run.resume=runs/small/checkpoint.h5 --train.epochs=3 "$@"
  run "$RANKS" "$@"
}
# Nothing is moved before the last thing that may refuse the run.
TUTTI_FAULT=restore.scaling:0:1
export TUTTI_FAULT
taking --optimizer.learning_rate=0.01
unset TUTTI_FAULT
expect_status 70
expect_no_text 'are moved to'
expect_same "$(fingerprint runs/taken)" "$taken"
# Cut off after two of five files, the run is still seen there; started again, it is moved to the same place.
TUTTI_FAULT=move_aside:0:3
export TUTTI_FAULT
taking --optimizer.learning_rate=0.01
unset TUTTI_FAULT
expect_status 70
expect_same "$(find runs/taken/before-1 -type f | wc -l | tr -d ' ')" 2
[ -e runs/taken/checkpoint.h5 ] || fail 'the checkpoint has gone first'
taking --optimizer.learning_rate=0.01
expect_status 0
expect_count 1 'tutti: warning: runs/taken holds another training'
expect_text 'optimizer.learning_rate was 0.001 there and is 0.01 now' 'its files are moved to runs/taken/before-1' \
  'starts in runs/taken from runs/small/checkpoint.h5'
expect_same "$(fingerprint runs/taken/before-1)" "$taken"
expect_files runs/taken before-1 config.yaml metrics.h5 checkpoint.h5
expect_same "$("$ARRAYS" rows runs/taken/metrics.h5 epochs)" 3
taken=$(fingerprint runs/taken | grep -v before-1)
# The same again goes on from what is there; still another has a place of its own.
taking --optimizer.learning_rate=0.01
expect_status 0
expect_text 'continues from runs/taken/checkpoint.h5' 'is not used'
expect_same "$(fingerprint runs/taken | grep checkpoint.h5 | grep -v before-1)" "$(echo "$taken" | grep checkpoint.h5)"
taking --optimizer.learning_rate=0.02
expect_status 0
expect_text 'optimizer.learning_rate was 0.01 there and is 0.02 now' runs/taken/before-2
expect_files runs/taken/before-2 config.yaml metrics.h5 checkpoint.h5
expect_same "$(fingerprint runs/taken/before-2 | grep checkpoint)" "$(echo "$taken" | grep checkpoint)"
# And back to the first one, whose place is no file of the run.
run "$RANKS" train small.yaml --run.directory=runs/taken --run.resume=runs/taken/before-1/best.h5 --train.epochs=3
expect_status 0
expect_text 'continues from runs/taken/before-1/best.h5' runs/taken/before-3

expect_same "$(fingerprint runs/small)" "$before"
[ -z "$(find . -name '*.tmp-*')" ] || fail 'a temporary file is left'

# --- ranks that were started with different words ---------------------------------------------------------------

# two_ranks COMMAND-OF-RANK-0 COMMAND-OF-RANK-1: not with the ":" of mpiexec, on which that of Open MPI 5.0.7 crashes.
two_ranks() {
  printf '%s\n' "$@" >"$WORK_DIR/commands"
  # shellcheck disable=SC2016 # for the shell of each rank
  call "$MPIEXEC" -n 2 sh -c 'rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-$PMIX_RANK}}
    eval "$(sed -n "$((rank + 1))p" "$0")"' "$WORK_DIR/commands"
}

# unlike TEXT WORDS-OF-RANK-0 WORDS-OF-RANK-1: refused with that text.
unlike() {
  two_ranks "exec '$TUTTI' $2" "exec '$TUTTI' $3"
  expect_status 64
  expect_quick
  expect_count 1 'tutti: error: rank 1 on '
  expect_text "$1"
}
if [ "$RANKS" -gt 1 ]; then
  same='train small.yaml --run.directory=runs/unlike'
  unlike "was started with '--train.seed=9' where rank 0 has '--train.seed=8'" \
    "$same --train.seed=8" "$same --train.seed=9"
  unlike "with '--train.seed=9' where rank 0 has no further word" "$same" "$same --train.seed=9"
  unlike "with no further word where rank 0 has '--train.seed=9'" "$same --train.seed=9" "$same"
  unlike "with 'eval' where rank 0 has 'train'" "$same" 'eval small.yaml'
  unlike "with 'info' where rank 0 has 'unknown'" unknown 'info small.yaml'
  # What is answered without MPI by one process alone.
  unlike "with '--version' where rank 0 has 'train'" "$same" --version
  unlike "with '--help' where rank 0 has 'small.yaml'" "$same" 'train --help'
  unlike "with 'info' where rank 0 has '--help'" --help 'info small.yaml'
  succeed "$RANKS" --version
  expect_same "$(wc -l <"$out" | tr -d ' ')" 1

  # Another program of the same version, and the same one by another name.
  cp "$TUTTI" other
  two_ranks "'$TUTTI' info small.yaml" "'$WORK_DIR/other' info small.yaml"
  expect_status 0
  printf x >>other
  two_ranks "'$TUTTI' train small.yaml" "'$WORK_DIR/other' train small.yaml"
  expect_status 64
  expect_count 1 'tutti: error: rank 1 on '
  expect_text "was started with 'tutti " ' build ' 'with the same program'
  rm other

  # The same path, another file on each node: each folder stands for a node's.
  mkdir -p node0 node1
  start_files() {
    words="train small.yaml '--run.directory=$WORK_DIR/runs/unlike'"
    two_ranks "cd node0 && exec '$TUTTI' $words" "cd node1 && exec '$TUTTI' $words"
  }
  # files LINE-OF-RANK-0 LINE-OF-RANK-1: what each adds to its small.yaml
  files() {
    for node in 0 1; do
      { cat small.yaml; printf '%s\n' "$1"; } >node$node/small.yaml
      shift
    done
    start_files
  }
  files 'schedule: {warmup: 3 steps}' 'schedule: {warmup: 4 steps}'
  expect_status 78
  expect_count 1 'tutti: error: rank 1 on '
  expect_text "small.yaml: schedule.warmup is '4 steps' here and '3 steps' for rank 0"
  files '' 'shedule: {warmup: 4 steps}'
  expect_status 78
  expect_text 'rank 1 on ' 'small.yaml:' shedule
  [ ! -e runs/unlike ] || fail 'ranks that differ have begun a training'
  # A comment makes no other training; nor does a file that rank 0 alone has.
  files '' '# of node 1'
  expect_status 0
  rm node1/small.yaml
  start_files
  expect_status 0
fi

# --- a weight that changes on one rank ---------------------------------------------------------------------------

if [ "$RANKS" -gt 1 ]; then
  damaged=$((RANKS - 1))
  # flip PASS STEP OPTION...: after step PASS a sign is turned on one rank, and found after STEP.
  flip() {
    pass=$1
    step=$2
    shift 2
    export TUTTI_FAULT=weight:$damaged:$pass
    run "$RANKS" train small.yaml --parallel.reduce=flat --run.directory=runs/flipped "$@"
    unset TUTTI_FAULT
    expect_status 71
    expect_count 1 'tutti: error: '
    expect_text "rank $damaged on " "the parameters after step $step are not those of rank 0" 'number 605 of 1210 is '
  }
  rm -rf runs/flipped
  flip 5 41
  expect_text 'all ranks had the same after step 0'
  [ ! -e runs/flipped/checkpoint.h5 ] || fail 'damaged weights are saved'
  flip 5 6 --train.evaluate_every='2 steps'
  flip 6 7 --train.steps=7
  flip 5 8 --parallel.check_every='4 steps'
  expect_text 'all ranks had the same after step 4'
  flip 5 6 --run.checkpoint_every='3 steps'
  # What is saved is from before, and goes on as if nothing had been.
  succeed "$RANKS" train small.yaml --parallel.reduce=flat --run.directory=runs/flipped
  expect_text 'continues from runs/flipped/checkpoint.h5: step 3'
  loss=$(value test_loss)
  succeed "$RANKS" train small.yaml --parallel.reduce=flat --run.directory=runs/flipped --run.resume=no
  expect_close "$(value test_loss)" "$loss" 1e-5
  rm -r runs/flipped
  flip 992 1000 --data.validation_split=0 --train.epochs=40 --train.batch_size=16 --run.checkpoint_every='20 epochs' \
    --run.metrics_every='10000 steps'
fi

# --- a launcher that does not speak MPI's language --------------------------------------------------------------

if [ "$RANKS" -eq 1 ]; then
  SLURM_NTASKS=8
  export SLURM_NTASKS
  refuse 71 'Slurm has 8 tasks' mpirun srun -- train small.yaml
  # In a batch script one process is right for these.
  succeed 1 info small.yaml
  unset SLURM_NTASKS
  # Another MPI library's launcher: each of its processes takes itself for all.
  before=$(fingerprint runs)
  for variable in PMI_SIZE=4 MPI_LOCALNRANKS=4 PALS_LOCAL_RANKID=3; do
    call env "$variable" "$TUTTI" train small.yaml
    expect_status 71
    expect_count 1 'tutti: error: '
    expect_text "${variable%=*} says that there are at least 4 ranks" 'mpirun of the library'
  done
  # One that does not tell how many: the first of them stops as well.
  for variable in PMIX_RANK PALS_RANKID PALS_LOCAL_RANKID PMI_RANK; do
    call env "$variable=0" "$TUTTI" train small.yaml
    expect_status 71
    expect_text "$variable says that a launcher made this process rank 0"
  done
  call env PMIX_RANK=0 "$TUTTI" info small.yaml
  expect_status 0
  call env PMIX_RANK=0 SLURM_STEP_NUM_TASKS=1 "$TUTTI" train small.yaml
  expect_status 0
  before=$(fingerprint runs)
  call env MPI_LOCALNRANKS=2 "$TUTTI" eval runs/small/checkpoint.h5
  expect_status 71
  expect_same "$(fingerprint runs)" "$before"
  call env PMI_SIZE=1 MPI_LOCALNRANKS=2 "$TUTTI" info small.yaml
  expect_status 0
fi

# --- a full disk ------------------------------------------------------------------------------------------------

[ "$(id -u)" -eq 0 ] && mkdir full && mount -t tmpfs -o size=300k tmpfs full 2>/dev/null || exit 0
at_exit() { umount "$WORK_DIR/full"; }
small_run() { run "$RANKS" train small.yaml --run.directory=full/run "$@"; }
small_run
expect_status 0
before=$(fingerprint full)
# What is left is too little for a checkpoint, but enough for the metrics to begin.
dd if=/dev/zero of=full/ballast bs=1k 2>/dev/null
full=$(fingerprint full)
small_run --train.epochs=3
expect_status 74
expect_count 1 'tutti: error: full/run/'
expect_text 'No space left' 'unchanged' 'free some space'
expect_same "$(fingerprint full)" "$full"
rm full/ballast
expect_same "$(fingerprint full)" "$before"
small_run --train.epochs=3
expect_status 0
loss=$(value test_loss)
succeed "$RANKS" train small.yaml --run.directory=runs/straight --train.epochs=3
expect_close "$loss" "$(value test_loss)" 1e-4
