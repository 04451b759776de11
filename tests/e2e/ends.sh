# How long a job takes to end after each mishap, and what it says: within ten seconds, and with one message of ours.  Prints a
# table.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config
use_scratch
at_exit() { kill_job; }
limit=10

# The message says why the job ends.  Beside it there may be lines on the progress, and warnings.
table=$notes/table
: >"$table"
messages() { grep -E '^tutti: error: |was received' ends.err; }

start() {
  rm -rf runs
  "$MPIEXEC" -n "$RANKS" "$TUTTI" train small.yaml --train.epochs=100000 --run.directory=runs/ends >ends.out 2>ends.err &
  job=$!
  wait_for 30 ends.err test -e runs/ends/checkpoint.h5
  rank=$(ranks_of $job | sed -n 2p)
}

# ended NAME [TEXT]: waits for the end, and adds a row.
ended() {
  begin=$(date +%s%N)
  status=0
  wait "$job" || status=$?
  tenths=$((($(date +%s%N) - begin) / 100000000))
  job=''
  printf '%-14s %3d.%d s  status %3d  %s\n' "$1" $((tenths / 10)) $((tenths % 10)) $status "$(messages)" >>"$table"
  [ $tenths -le $((10 * limit)) ] || fail "$1: it ended after $tenths tenths of a second"
  [ "$(messages | grep -c .)" -eq $(($# - 1)) ] || fail "$1: not one message: $(cat ends.err)"
  [ $# -eq 1 ] || messages | grep -F -q -e "$2" || fail "$1: the message does not say: $2"
  succeed 1 info runs/ends/checkpoint.h5
}

# ended_by_launcher NAME TEXT: the same if the launcher ends the ranks, which may leave its own message alone.
ended_by_launcher() {
  if launcher_drops_last_words; then ended "$1"; else ended "$1" "$2"; fi
}

died='has ended without a word: it was killed, or it has crashed'
for signal in KILL SEGV; do
  start
  kill -$signal "$rank"
  ended_by_launcher "$signal" "$died"
done
export LD_PRELOAD="$EXITS"
start
unset LD_PRELOAD
kill -RTMIN "$rank"
ended_by_launcher 'exit(1)' "$died"
start
kill -STOP "$rank"
ended STOP 'has not answered for'
for signal in TERM INT USR1; do
  start
  kill -$signal "$rank"
  ended "$signal, rank" "SIG$signal was received"
done
start
kill -TERM "$job"
ended_by_launcher 'TERM, job' 'SIGTERM was received'
start
kill -USR1 "$job"
ended 'USR1, job' 'SIGUSR1 was received'

# fails NAME STATUS TEXT COMMAND...: a job that fails at its start.
fails() {
  begin=$(date +%s%N)
  status=0
  name=$1 wanted=$2 text=$3
  shift 3
  "$@" >ends.out 2>ends.err || status=$?
  tenths=$((($(date +%s%N) - begin) / 100000000))
  printf '%-14s %3d.%d s  status %3d  %s\n' "$name" $((tenths / 10)) $((tenths % 10)) $status "$(messages)" >>"$table"
  [ $tenths -le $((10 * limit)) ] || fail "$name: it ended after $tenths tenths of a second"
  expect_status "$wanted"
  [ "$(messages | grep -c .)" -eq 1 ] || fail "$name: not one message: $(cat ends.err)"
  messages | grep -F -q -e "$text" || fail "$name: the message does not say: $text"
}
# Libraries of Open MPI 5 wait for ever while they are loaded, if there is less.
limits='200000 300000 350000 400000'
! is_open_mpi_5 || limits=400000
for kbytes in $limits; do
  call timeout 5 sh -c "ulimit -v $kbytes && exec \"\$@\"" sh "$TUTTI" --help
  expect_status 0
  fails "ulimit $kbytes" 71 'the limit on address space is' sh -c "ulimit -v $kbytes && exec \"\$@\"" sh \
    "$MPIEXEC" -n "$RANKS" "$TUTTI" train small.yaml --run.directory=runs/limited
done
# The rank that tells of it ends first: the launcher kills the others then.
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  call sh -c 'ulimit -v 400000 && exec "$@"' sh "$MPIEXEC" -n "$RANKS" "$TUTTI" train small.yaml --run.directory=runs/limited
  expect_text 'the limit on address space is'
done
# MPI does not come to an end, although the job has failed.
fails 'no end of MPI' 66 'none.h5' env ENDLESS_END=yes LD_PRELOAD="$EXITS" \
  "$MPIEXEC" -n "$RANKS" "$TUTTI" train small.yaml --data.file=none.h5 --run.directory=runs/none
cat "$table"
