# Jobs of a real Slurm that start again: before their time limit, after a node has failed, a rank was killed or an urgent job has
# taken the nodes, one task of an array alone, and not for ever if the starts bring nothing.
. "$SOURCE_DIR/tests/e2e/slurm_lib.sh"
take_endless

# --- the time limit -------------------------------------------------------------------------------------------------

submit limit --time=1 --signal=B:USR1@50
expect_checkpoint limit
expect_queued_again
expect_log 'SIGUSR1 was received: stopped after step'
let_end limit
expect_ended
expect_log 'continues from limit/checkpoint.h5'
expect_weights limit "$(cat limit.steps)"

# --- a task of an array ---------------------------------------------------------------------------------------------

# Task 1 is told to end; task 2 is not disturbed by that.
submit array --array=1-2 --nodes=1 --ntasks-per-node=2
expect_checkpoint array-1
expect_checkpoint array-2
array=$job
scancel --batch --signal=USR1 "${array}_1"
job=${array}_1
expect_queued_again
is_running() { [ "$(squeue -h -j "$1" -o %T)" = RUNNING ]; }
is_running "${array}_2" || fail_of array 'task 2 does not run any more'
expect_log "job ${array}_1 waits in the queue again"
let_end array-1
expect_ended
expect_weights array-1 "$(cat array-1.steps)"
is_running "${array}_2" || fail_of array 'task 2 does not run any more'
scancel "$array"

# --- a node that fails ----------------------------------------------------------------------------------------------

submit node
expect_checkpoint node
scontrol update nodename=node2 state=down reason=test
expect_queued_again
let_end node
expect_ended
expect_log 'continues from node/checkpoint.h5'
expect_weights node "$(cat node.steps)"

# --- a rank that is killed ------------------------------------------------------------------------------------------

submit killed
expect_checkpoint killed
kill -KILL "$(pgrep -f -- "$PROGRAM train .*--run.directory=killed" | tail -n 1)"
expect_queued_again
expect_log 'has ended without a word' "job $job waits in the queue again"
let_end killed
expect_ended
expect_log 'continues from killed/checkpoint.h5'
expect_weights killed "$(cat killed.steps)"

# --- an urgent job takes the nodes ----------------------------------------------------------------------------------

submit taken
expect_checkpoint taken
sbatch --partition=urgent --nodes=2 --exclusive --output=urgent.log --wrap true >/dev/null
expect_queued_again
let_end taken
expect_ended
expect_log 'continues from taken/checkpoint.h5'
expect_weights taken "$(cat taken.steps)"

# --- starts that bring nothing --------------------------------------------------------------------------------------

cat >never <<'EOS'
#!/bin/sh
[ "$1 ${2:-}" = train ] || [ "$1 ${2:-}" = 'train job.yaml' ] || exec "$PROGRAM" "$@"
exit 75
EOS
chmod +x never
TUTTI=$PWD/never RESTARTS=1 submit never
wait_until 60 grep -qs 'not started again' never.log || fail_of never 'it starts again and again'
expect_ended
expect_log "job $job is not started again: starts in a row without progress: 1 (still step 0)"
