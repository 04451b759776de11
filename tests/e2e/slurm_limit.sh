# The time limit of a real Slurm, of which a job has got no signal: the training ends before it by itself.  A training that does
# not end is killed before Slurm kills the whole job, so that the job waits in the queue again.
. "$SOURCE_DIR/tests/e2e/slurm_lib.sh"

cat >deaf.sh <<'EOS'
#!/bin/sh
trap '' USR1
[ "$1 ${2:-}" != 'train --check' ] && [ "$1" = train ] && [ "${SLURM_RESTART_COUNT:-0}" -eq 0 ] || exec "$PROGRAM" "$@"
while :; do sleep 1; done
EOS
chmod +x deaf.sh
TUTTI=$PWD/deaf.sh submit deaf --time=1 --signal=B:USR1@40
deaf=$job

take_endless
submit limit --time=1 --signal=B:URG@10 # which is ignored
expect_checkpoint limit
expect_queued_again
expect_log 'seconds are left of the time of this job: stopped after step'
let_end limit
expect_ended
expect_log 'continues from limit/checkpoint.h5'
expect_weights limit "$(cat limit.steps)"

job=$deaf name=deaf
expect_ended
expect_log "job $deaf waits in the queue again (so far: step 0)"
expect_weights deaf 100
