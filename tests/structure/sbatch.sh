#!/bin/sh
# usage: sbatch.sh TREE FOLDER -- what jobs/train.sbatch and study.sbatch start, where FOLDER holds a Slurm and a program that are played
set -eu
mkdir -p "$2/bin" "$2/source/jobs" "$2/source/build/bin"
cp "$1/jobs/train.sbatch" "$1/jobs/study.sbatch" "$2/source/jobs"
# Slurm runs a copy of the script.  That job of an array which has the array's number is shown with all others.
cat >"$2/bin/scontrol" <<EOF
#!/bin/sh
for task in 2 1; do printf 'JobId=1 ArrayTaskId=%s\n   Command=%s CONFIG\n' \$task "$2/source/jobs/study.sbatch"; done
EOF
printf '#!/bin/sh\nfor a; do printf "<%%s>" "$a"; done\n' >"$2/source/build/bin/tutti"
chmod +x "$2/bin/scontrol" "$2/source/build/bin/tutti"
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
