# Lets libFuzzer invent files for each reader.
# run.sh BUILD SECONDS: SECONDS are shared by the readers; a crash of ours ends with status 1, and its file stays.
set -eu
build=$1 seconds=$2
source=$(cd "$(dirname "$0")" && pwd)
harnesses=$(cd "$build/fuzz" && ls -d fuzz_*)
n=$(printf '%s\n' $harnesses | wc -l)
share=$((seconds / n))
[ "$share" -gt 0 ] || share=1
failed=0
TMPDIR=$(mktemp -d "${TMPDIR:-/dev/shm}/tutti-fuzz-XXXXXX")
trap 'rm -rf "$TMPDIR"' EXIT # a harness that crashes leaves its files
# HDF5 keeps memory after damaged files; fuzz.c counts ours.
ASAN_OPTIONS=detect_leaks=0
export TMPDIR ASAN_OPTIONS

for harness in $harnesses; do
  name=${harness#fuzz_}
  work=$build/fuzz/$name
  mkdir -p "$work/corpus" "$work/crashes"
  # HDF5 crashes itself: a child for some files at a time, and the others go on.
  log=$work/log
  limits="-timeout=25 -rss_limit_mb=3000 -malloc_limit_mb=2000 -detect_leaks=0"
  options="$limits -max_total_time=$share -max_len=131072"
  case $name in
  data | checkpoint | metrics | study)
    options="$options -fork=1 -ignore_crashes=1 -ignore_ooms=0 -ignore_timeouts=1"
    ;;
  esac
  # shellcheck disable=SC2086 # a list of options
  "$build/fuzz/$harness" $options -artifact_prefix="$work/crashes/" "$work/corpus" "$source/seeds/$name" \
    >"$log" 2>&1 || true
  ours=0 theirs=0
  for crash in "$work"/crashes/*; do
    [ -e "$crash" ] || continue
    case $crash in *.txt | */slow-unit-*) continue ;; esac # a report, and a file that only takes its time
    status=0
    # shellcheck disable=SC2086
    "$build/fuzz/$harness" $limits "$crash" >"$work/replay" 2>&1 || status=$?
    [ "$status" -ne 0 ] || continue # only together with others
    # The first frames of a crash inside HDF5 are in its library, after those of the C library and others that report it.
    if grep '^ *#[0-9]' "$work/replay" | grep -v '__sanitizer\|fuzzer::\|libc[./]\|nptl/\|sysdeps/\|stdlib/\|libio/\|debug/' | head -n 3 | grep -q libhdf5; then
      theirs=$((theirs + 1))
    else
      ours=$((ours + 1))
      echo "tests/fuzz: $name: $crash"
      cp "$work/replay" "$crash.txt"
    fi
  done
  runs=$(sed -n 's/^#\([0-9][0-9]*\).*/\1/p' "$log" | tail -n 1)
  echo "tests/fuzz: $name: ${runs:-0} files in $share s, $ours crashes of ours, $theirs inside HDF5"
  [ "$ours" -eq 0 ] || failed=1
done
exit $failed
