# What the tests with a real Slurm share: two nodes, trainings that last as long as a test wants, and what is expected of them.
. "$SOURCE_DIR/tests/e2e/lib.sh"
. "$SOURCE_DIR/tests/support/slurm.sh"
at_exit() { stop_slurm; }
start_slurm

cat >job.yaml <<CONF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit}
model: {layers: ['dense 16 relu', 'dense 10 softmax']}
optimizer: {name: adam}
train: {batch_size: 32, steps: 100}
parallel: {reduce: tree}
run: {checkpoint_every: 20 steps}
CONF
weights=/model/weights/dense/kernel

# A program whose first start has no end.  Later starts wait for the number of steps in the file DIRECTORY.steps.  Each task of
# an array has a directory of its own.
cat >endless <<'EOS'
#!/bin/sh
[ "$1 ${2:-}" != 'train --check' ] && [ "$1" = train ] || exec "$PROGRAM" "$@"
for argument; do case $argument in --run.directory=*) directory=${argument#*=} ;; esac; done
directory=$directory${SLURM_ARRAY_TASK_ID:+-$SLURM_ARRAY_TASK_ID}
steps=1000000000
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  until [ -s "$directory.steps" ]; do sleep 0.2; done
  steps=$(cat "$directory.steps")
fi
exec "$PROGRAM" "$@" --run.directory="$directory" --train.steps="$steps"
EOS
chmod +x endless
export PROGRAM="$TUTTI"
take_endless() { export TUTTI="$PWD/endless"; }

# submit NAME SBATCH OPTION...: a job of four ranks on two nodes with the run directory NAME; sets $job.
submit() {
  name=$1
  shift
  job=$(sbatch --parsable --job-name="$name" --nodes=2 --ntasks-per-node=2 --output=%x.log "$@" \
    "$SOURCE_DIR/jobs/train.sbatch" job.yaml --run.directory="$name") || fail 'sbatch refuses the job'
}

fail_of() { fail "$2; $(cat "$1.log" 2>/dev/null)"; } # NAME MESSAGE
has_checkpoint() { [ -e "$1/checkpoint.h5" ]; }
has_ended() { [ -z "$(squeue -h -j "$1" -o %i 2>/dev/null)" ]; }
is_waiting() { squeue -h -j "$1" -o %T 2>/dev/null | grep -q PENDING; }
expect_checkpoint() { wait_until 60 has_checkpoint "$1" || fail_of "$name" "no checkpoint in $1"; }
expect_queued_again() { wait_until 90 is_waiting "$job" || fail_of "$name" 'the job is not queued again'; }
expect_ended() { wait_until 90 has_ended "$job" || fail_of "$name" 'the job does not end'; }
expect_log() { # TEXT...
  for text; do grep -F -q -e "$text" "$name.log" || fail_of "$name" "nowhere in the log: $text"; done
}

no_script_is_left() { ! pgrep -f "$slurm/node.*/slurm_script" >/dev/null; }

# let_end DIRECTORY: the disturbed training may do 50 more steps.
let_end() {
  call "$PROGRAM" info "$1/checkpoint.h5"
  echo $(($(value step) + 50)) >"$1.part"
  mv "$1.part" "$1.steps"
}

# expect_weights DIRECTORY STEPS: those of a training on one rank that was never disturbed.
expect_weights() {
  call "$PROGRAM" train job.yaml --run.directory="$1.alone" --run.checkpoint_every=0 --train.steps="$2"
  expect_status 0
  for run in "$1" "$1.alone"; do "$ARRAYS" print "$run/checkpoint.h5" $weights >"$run.txt"; done
  cmp "$1.txt" "$1.alone.txt" || fail "$1: other weights than a training that was not disturbed"
}
