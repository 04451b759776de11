# What the scripts here share.  To be sourced by a POSIX shell; the environment is that of tutti_add_cli_test.
# A script stops at the first thing that is not as promised, and prints what it had done until then.
set -u
: "${TUTTI:?}" "${MPIEXEC:?}" "${RANKS:?}" "${SOURCE_DIR:?}" "${WORK_DIR:?}"

rm -rf "$WORK_DIR"
mkdir -p "$WORK_DIR" && cd "$WORK_DIR" || exit 1
# Outside of WORK_DIR, since the script may look at what is in there.
notes=$WORK_DIR.notes
rm -rf "$notes"
mkdir "$notes" || exit 1
transcript=$notes/transcript
: >"$transcript"

# Beyond this many seconds an error is no longer "within seconds", on a machine that others use as well.
patience=15

# What a script has to undo, whether it passes or not.
at_exit() { :; }
finish() {
  result=$?
  trap - EXIT
  at_exit
  [ -z "${scratch:-}" ] || rm -rf "$scratch"
  if [ "$result" -ne 0 ] && [ "$result" -ne 77 ]; then cat "$transcript"; fi
  [ "$result" -ne 0 ] || rm -rf "$notes"
  exit "$result"
}
trap finish EXIT

note() { printf '%s\n' "$*" >>"$transcript"; }
fail() {
  note "FAILED: $*"
  exit 1
}

# --- run the program --------------------------------------------------------------------------------------------

# call COMMAND...: sets $status; what it printed is in $out and $err; notes all of it.
out=$notes/stdout err=$notes/stderr
call() {
  note "\$ $*"
  begin=$(date +%s)
  status=0
  "$@" >"$out" 2>"$err" </dev/null || status=$?
  seconds=$(($(date +%s) - begin))
  sed 's/^/1| /' "$out" >>"$transcript"
  sed 's/^/2| /' "$err" >>"$transcript"
  note "= $status, $seconds s"
}

# run N ARGUMENT...: the program on N ranks; a single one without a launcher, as people do.
run() {
  n_ranks=$1
  shift
  if [ "$n_ranks" -eq 1 ]; then
    call "$TUTTI" "$@"
  else
    call "$MPIEXEC" -n "$n_ranks" "$TUTTI" "$@"
  fi
}

# succeed N ARGUMENT...: the same, and it has to do its work.
succeed() {
  run "$@"
  expect_status 0
}

# --- what is expected -------------------------------------------------------------------------------------------

expect_status() { [ "$status" -eq "$1" ] || fail "exit status $status, expected $1"; }
expect_quick() { [ "$seconds" -le "$patience" ] || fail "took $seconds s, more than $patience"; }

# Each argument stands somewhere in what was printed, on standard output or error.
expect_text() {
  for text; do
    cat "$out" "$err" | grep -F -q -e "$text" || fail "nowhere in the output: $text"
  done
}
expect_no_text() {
  for text; do
    if cat "$out" "$err" | grep -F -q -e "$text"; then fail "should not be in the output: $text"; fi
  done
}

# expect_count N TEXT: so many lines of standard error begin with TEXT.
expect_count() {
  n=$(grep -c -e "^$2" "$err")
  [ "$n" -eq "$1" ] || fail "$n lines begin with '$2', expected $1"
}

# refuse STATUS TEXT... -- ARGUMENT...: on $RANKS ranks the program ends at once with that status and with one message,
# which has all the texts.
refuse() {
  wanted=$1
  shift
  : >"$notes/texts"
  while [ "$1" != -- ]; do
    printf '%s\n' "$1" >>"$notes/texts"
    shift
  done
  shift
  run "$RANKS" "$@"
  expect_status "$wanted"
  expect_quick
  expect_count 1 'tutti: error: '
  while IFS= read -r text; do
    grep '^tutti: error: ' "$err" | grep -F -q -e "$text" || fail "the message does not say: $text"
  done <"$notes/texts"
}

# value NAME: of a "name value" line on standard output.
value() { sed -n "s/^$1 //p" "$out"; }

# expect_close A B TOLERANCE: relative.
expect_close() {
  awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN {
    d = a - b; if (d < 0) d = -d
    s = b < 0 ? -b : b
    exit !(a != "" && b != "" && a == a + 0 && b == b + 0 && d <= t * s)
  }' || fail "$1 is not within $3 of $2"
}

# expect_same A B
expect_same() { [ "$1" = "$2" ] || fail "'$1' is not '$2'"; }

# find_python MODULE...: sets $python to one that has them all; else the script is skipped.
find_python() {
  modules=$(printf '%s, ' "$@")
  modules=${modules%, }
  for python in python3 /usr/bin/python3; do
    if "$python" -c "import $modules" 2>/dev/null; then return; fi
  done
  echo "skipped: python3 has not all of $modules"
  exit 77
}

is_open_mpi_5() { "$MPIEXEC" --version | grep -q '(Open MPI) [5-9]'; }

# Open MPI 5 reads nothing more from its ranks once it has begun to end them, so what they say then is not seen.
launcher_drops_last_words() { [ "$RANKS" -gt 1 ] && is_open_mpi_5; }

# --- processes --------------------------------------------------------------------------------------------------

# A process and all below it, as they are now.
family() {
  ps -e -o pid= -o ppid= | awk -v top="$1" '
    { parent[$1] = $2 }
    END {
      for (pid in parent) {
        for (at = pid; at in parent && at != top; at = parent[at]) {}
        if (at == top) print pid
      }
    }'
}

# The ranks among them.
ranks_of() {
  for pid in $(family "$1"); do
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != tutti ] || echo "$pid"
  done
}

# Not so a process that has ended and waits for someone to ask how.
is_running() { ps -o stat= -p "$1" | grep -q '^[^Z]'; }

# The job in the background, $job, with all its ranks; for at_exit.
kill_job() {
  # shellcheck disable=SC2046 # words
  [ -z "${job:-}" ] || kill -KILL $(family "$job") 2>/dev/null
}

# wait_for SECONDS LOG COMMAND...: until the command succeeds, while $job runs.
wait_for() {
  rounds=$(($1 * 20))
  log=$2
  shift 2
  until "$@" 2>/dev/null; do
    kill -0 "$job" 2>/dev/null || fail "it has ended before '$*': $(cat "$log")"
    rounds=$((rounds - 1))
    [ $rounds -gt 0 ] || fail "too long until '$*': $(cat "$log")"
    sleep 0.05
  done
}

# What a killed MPI leaves behind goes where it can be removed; a short path, since sockets are in there.
use_scratch() {
  scratch=$(mktemp -d /tmp/tutti-XXXXXX) || exit 1
  TMPDIR=$scratch OMPI_MCA_btl_vader_backing_directory=$scratch
  export TMPDIR OMPI_MCA_btl_vader_backing_directory
}

# --- folders ----------------------------------------------------------------------------------------------------

# Names and contents of the files below a folder, as a text to compare.
fingerprint() { (cd "$1" && find . -type f -exec cksum {} + | sort -k 3); }

# expect_files FOLDER NAME...: these and no others.
expect_files() {
  folder=$1
  shift
  # shellcheck disable=SC2012 # names of ours, without odd characters
  expect_same "$(ls -A "$folder" | tr '\n' ' ')" "$(printf '%s\n' "$@" | sort | tr '\n' ' ')"
}

# --- a small training -------------------------------------------------------------------------------------------

# small.yaml: digits, two epochs of 41 steps.
write_small_config() {
  cat >small.yaml <<EOF
data:
  file: $SOURCE_DIR/data/digits.h5
  scale: unit
  validation_split: 0.1
model:
  layers:
    - dense 16 relu
    - dropout 0.1
    - dense 10 softmax
optimizer: {name: adam}
train: {batch_size: 32, epochs: 2}
EOF
}
