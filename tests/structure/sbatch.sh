#!/bin/sh
# usage: sbatch.sh TREE FOLDER -- what jobs/train.sbatch and study.sbatch start, and when they ask for another start.  FOLDER
# holds a Slurm and a program that are played.
set -eu
mkdir -p "$2/bin" "$2/source/jobs" "$2/source/build/bin"
cp "$1/jobs/train.sbatch" "$1/jobs/study.sbatch" "$2/source/jobs"
# Slurm runs a copy of the script.  That job of an array which has the array's number is shown with all others.
cat >"$2/bin/scontrol" <<EOF
#!/bin/sh
[ "\$1" != requeue ] || { echo "\$2" >>"$2/requeued"; exit; }
for task in 2 1; do printf 'JobId=1 ArrayTaskId=%s\n   Command=%s CONFIG\n' \$task "$2/source/jobs/study.sbatch"; done
EOF
# The program ends with $ENDS, and its checkpoint is of step $STEP.
cat >"$2/source/build/bin/tutti" <<'EOF'
#!/bin/sh
case "$1 $2" in
  'train --check' | 'study --check')
    [ -z "${WRONG:-}" ] || { echo "$WRONG" >&2 && exit 78; }
    echo 'run a run'
    echo 'output a study.h5'
    exit
    ;;
  'info a run/checkpoint.h5') echo "step $STEP" && exit ;;
  'info a study.h5') echo "done ${DONE:-0}" && exit ;;
  "info a study.h5.d/1.run/checkpoint.h5") echo "step $STEP" && exit ;;
  "info a study.h5.d/2.run/checkpoint.h5") echo 'step 7' && exit ;;
esac
for a; do printf '<%s>' "$a"; done
[ -z "${DEAF:-}" ] || { trap '' USR1; i=0; while [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.1; done; }
[ -z "${SLEEPS:-}" ] || { trap 'exit 75' USR1; sleep 10 & wait; }
exit "${ENDS:-0}"
EOF
chmod +x "$2/bin/scontrol" "$2/source/build/bin/tutti"
rm -f "$2/requeued" "$2/bin"/.tutti-restarts-*
copies=$1/jobs
unset TUTTI
PATH=$2/bin:$PATH SLURM_JOB_ID=1 SLURM_SUBMIT_DIR=$2/bin LAUNCH=env
export PATH SLURM_JOB_ID SLURM_SUBMIT_DIR LAUNCH

# expect RESTARTS EXPECTED ARGUMENT ...
expect() {
  SLURM_RESTART_COUNT=$1 expected=$2
  export SLURM_RESTART_COUNT
  shift 2
  printed=$(bash "$copies/$script" "$@")
  [ "$printed" = "$expected" ] || {
    echo "restart $SLURM_RESTART_COUNT: $printed is not $expected"
    exit 1
  }
}

script=train.sbatch
expect 0 '<train><a b.yaml><--run.resume=no><--train.seed=1>' 'a b.yaml' --run.resume=no --train.seed=1
# A job that runs again goes on.
expect 1 '<train><a b.yaml><--train.seed=1>' 'a b.yaml' --run.resume=no --train.seed=1
expect 2 '<train><a.yaml><--run.resume=b.h5><--run.keep=1>' a.yaml --run.resume=b.h5 --run.keep=1
script=study.sbatch
expect 0 '<study><a b.yaml><--study.seeds=3>' 'a b.yaml' --study.seeds=3
expect 1 '<study><a.yaml>' a.yaml

# --- back into the queue ----------------------------------------------------------------------------------------

# queue EXPECTED [SCRIPT]: the job number for which Slurm is asked, if the program ends with $ENDS.
folder=$2
mkdir -p "$folder/a study.h5.d/1.run" "$folder/a study.h5.d/2.run"
touch "$folder/a study.h5.d/1.run/checkpoint.h5" "$folder/a study.h5.d/2.run/checkpoint.h5"
queue() {
  rm -f "$folder/requeued"
  status=0
  (cd "$folder" && bash "$copies/${2:-train.sbatch}" a.yaml) >"$folder/log" 2>&1 || status=$?
  asked=$(cat "$folder/requeued" 2>/dev/null || true)
  [ "$asked" = "$1" ] && [ "$status" -eq "$ENDS" ] || {
    echo "ended with $status, asked for '$asked' and not for '$1': $(cat "$folder/log")"
    exit 1
  }
}
unset SLURM_RESTART_COUNT
export ENDS=75 STEP=10
queue 1
for ENDS in 0 1 74 79; do queue ''; done
# A mistake is found before the ranks start.
WRONG='no such key' ENDS=78
export WRONG
queue ''
[ "$(cat "$folder/log")" = "$WRONG" ]
unset WRONG
# Three starts without a further step are enough.
ENDS=75
for STEP in 10 20 20 15; do queue 1; done
STEP=20
queue ''
grep -q 'job 1 is not started again: starts in a row without progress: 3 (still step 20)' "$folder/log"
STEP=30
queue 1
rm "$2/bin/.tutti-restarts-1"
# A rank or a node is lost: one more start without a further step is enough.
for ENDS in 71 137; do
  STEP=$((STEP + 10))
  queue 1
  queue ''
done
ENDS=75
# A study makes progress by a finished trial, and by the steps of a trial that takes longer than a job.
export DONE=0
for STEP in 10 20 30 40 50 50; do queue 1 study.sbatch; done
DONE=1
for _ in 1 2 3; do queue 1 study.sbatch; done
queue '' study.sbatch
grep -q '3 (still finished trials: 1, steps of trials under way: 57)' "$folder/log"
# Of an array, only this task.
export SLURM_ARRAY_JOB_ID=1 SLURM_ARRAY_TASK_ID=2
queue 1_2
unset SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID
# Slurm tells the script alone, and the run saves.  A run that does not end is killed ten seconds before the end of the job.
tell() { # EXIT STATUS
  STEP=$((STEP + 10))
  rm -f "$folder/requeued" "$folder/log"
  bash "$copies/train.sbatch" a.yaml >"$folder/log" 2>&1 &
  until grep -q '<a.yaml>' "$folder/log" 2>/dev/null; do sleep 0.1; done
  sleep 0.2
  kill -USR1 $!
  status=0
  wait $! || status=$?
  [ "$status" -eq "$1" ] && grep -q 1 "$folder/requeued" || {
    echo "told to end, the job ended with $status: $(cat "$folder/log")"
    exit 1
  }
}
SLEEPS=yes
export SLEEPS
tell 75
unset SLEEPS
DEAF=yes SLURM_JOB_END_TIME=$(($(date +%s) + 13))
export DEAF SLURM_JOB_END_TIME
tell 137
