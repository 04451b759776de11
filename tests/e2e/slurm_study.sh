# A study in a real Slurm that is told to end within a trial: the job waits in the queue again, goes on with that trial, and ends
# with the table of a study that nobody disturbed.
. "$SOURCE_DIR/tests/e2e/slurm_lib.sh"

# Two trials, so long that the first one is told to end.
cat >study.yaml <<CONF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1}
model: {layers: ['dense 16 relu', 'dense 10 softmax']}
optimizer: {name: sgd}
parallel: {reduce: tree, leaves: 4}
study:
  vary: {optimizer.learning_rate: [0.1, 0.2], train.batch_size: [32]}
  goal: val_accuracy >= 2
  budget: 600 epochs
  evaluate_every: 15 epochs
CONF

name=study
job=$(sbatch --parsable --job-name=study --nodes=2 --ntasks-per-node=2 --output=%x.log "$SOURCE_DIR/jobs/study.sbatch" study.yaml \
  --study.output=study.h5 --study.ranks_per_trial=4) || fail 'sbatch refuses the job'
trial_has_begun() { [ -d study.h5.d ] && [ -n "$(ls study.h5.d)" ]; }
trial_is_kept() { ls -d study.h5.d/*.run >/dev/null 2>&1; }
wait_until 60 trial_has_begun || fail_of study 'no trial has begun'
sleep 2 # so that a checkpoint of it is worth its time
scancel --batch --signal=USR1 "$job"
expect_queued_again
expect_log 'SIGUSR1 was received: stopped; 0 of the 2 trials of study.h5 are done and kept, 2 are left, 1 of them with a checkpoint' \
  "job $job waits in the queue again"
trial_is_kept || fail_of study "the trial has left no checkpoint: $(ls study.h5.d)"
expect_ended
expect_log 'continues from'
call "$PROGRAM" study study.yaml --study.output=alone.h5 --study.ranks_per_trial=1
expect_status 0
for table in rows curves; do expect_same "$("$TRIALS" $table study.h5)" "$("$TRIALS" $table alone.h5)"; done
[ ! -e study.h5.d ] || fail "the folder is left: $(ls study.h5.d)"
