#!/bin/bash
# usage: bench_sbatch.sh TREE FOLDER -- which ranks jobs/bench.sbatch starts, on processors and with programs that are played
set -euo pipefail
tree=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/build/tests/bench"
printf '#!/bin/sh\n[ "$1" = -n ] && echo "$2"\n' >"$folder/bin/mpirun"
printf '#!/bin/sh\n' >"$folder/build/tests/bench/bench_step"
chmod +x "$folder/bin/mpirun" "$folder/build/tests/bench/bench_step"
export PATH=$folder/bin:$PATH BUILD=$folder/build

# lscpu_says COMMANDS: it prints what they print, with the processor's number in $cpu, for more than any machine has
lscpu_says() {
  printf '#!/bin/sh\n[ "$1" = -p=CPU,CORE,SOCKET ] || exit 1\necho "# CPU,Core,Socket"\n%s\n' "$1" >"$folder/bin/lscpu"
  chmod +x "$folder/bin/lscpu"
}

# expect RANKS WHY: the ranks of the tables
expect() {
  local printed
  rm -rf "$folder/tables"
  bash "$tree/jobs/bench.sbatch" "$folder/tables" >"$folder/log"
  printed=$(cat "$folder"/tables/step.n*.tsv | sort -n | tr '\n' ' ')
  [ "$printed" = "$1 " ] || {
    echo "$2: ranks '$printed', expected '$1 '"
    exit 1
  }
}

# one, and one a processor
both() { if [ "$1" -eq 1 ]; then echo 1; else echo "1 $1"; fi; }

unset OMP_NUM_THREADS OMP_THREAD_LIMIT RANKS
allowed=$(nproc)

lscpu_says 'seq 0 4095 | sed "s/.*/&,&,0/"'
expect "$(both "$allowed")" 'a core a processor'
OMP_NUM_THREADS=$((allowed + 1)) expect "$(both "$allowed")" 'OMP_NUM_THREADS'
lscpu_says 'seq 0 4095 | sed "s/.*/&,0,0/"'
expect 1 'hardware threads of one core'
lscpu_says 'seq 0 4095 | sed "s/.*/&,&,0/"'
first=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/status)
taskset -c "$first" true 2>/dev/null && (
  taskset -pc "$first" $BASHPID >/dev/null
  expect 1 'bound to one core'
)
lscpu_says 'exit 1'
OMP_NUM_THREADS=$((allowed + 1)) expect "$(both "$allowed")" 'no lscpu'
lscpu_says 'seq 0 4095 | sed "s/.*/&,&,0/"'
RANKS='3 5' expect '3 5' 'RANKS'

# A program that fails leaves nothing that looks like its table.
printf '#!/bin/sh\nexit 3\n' >"$folder/bin/mpirun"
rm -rf "$folder/tables"
if bash "$tree/jobs/bench.sbatch" "$folder/tables" >"$folder/log" || ls "$folder"/tables/*.tsv 2>/dev/null; then
  echo 'a program failed, and this was not seen'
  exit 1
fi
