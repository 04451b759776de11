# The scripts of jobs/ in a real Slurm.  A training over two nodes has the weights of one on a single rank, and so has one that
# was told to end and then waited in the queue again.  Tasks of an array share a study.
. "$SOURCE_DIR/tests/e2e/slurm_lib.sh"

for launch in '' mpirun; do
  LAUNCH=$launch submit "both$launch"
  expect_ended
  expect_log '4 ranks on 2 nodes'
  expect_weights "$name" 100
done

# A mistake is told, and no rank starts.
job=$(sbatch --parsable --output=wrong.log "$SOURCE_DIR/jobs/train.sbatch" job.yaml --train.step=3)
name=wrong
expect_ended
expect_log 'unknown option --train.step=3; did you mean --train.steps?'
[ "$(wc -l <wrong.log)" -eq 1 ] || fail_of wrong 'more than one line'

# Two tasks of an array share a study.
sbatch --parsable --array=1-2 --output=study-%a.log "$SOURCE_DIR/jobs/study.sbatch" "$SOURCE_DIR/jobs/noisy-quadratic.yaml" \
  --study.vary.train.batch_size='[1, 64, 256, 65536]' --study.vary.optimizer.learning_rate='{from: 0.1, to: 1.9, points: 20}' \
  --study.output=study.h5 >study.job || fail 'sbatch refuses the study'
job=$(cat study.job)
name=study-1
expect_ended
call "$PROGRAM" info study.h5
expect_status 0
expect_same "$(value trials) $(value done)" '80 80'

take_endless
for launch in mpirun 'srun --mpi=pmix'; do
  LAUNCH=$launch submit "told-${launch%% *}"
  expect_checkpoint "$name"
  scancel --batch --signal=USR1 "$job"
  expect_queued_again
  expect_log 'SIGUSR1 was received: stopped after step' "job $job waits in the queue again"
  let_end "$name"
  expect_ended
  expect_log "continues from $name/checkpoint.h5"
  expect_weights "$name" "$(cat "$name.steps")"
done

# A job that is cancelled stays so.
submit cancelled
expect_checkpoint cancelled
scancel "$job"
expect_ended
call "$PROGRAM" info cancelled/checkpoint.h5
expect_status 0
if grep -q 'queue again' cancelled.log; then fail_of cancelled 'a cancelled job is queued again'; fi
wait_until 20 no_script_is_left || fail "processes of jobs are left: $(pgrep -af "$slurm/node")"
