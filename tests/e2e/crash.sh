# A file at which HDF5 itself crashes ends the job as any damaged file does: one line of ours names it, and no rank is
# left.
. "$SOURCE_DIR/tests/e2e/lib.sh"
[ -z "${SLOW-}" ] || { note "a sanitizer reports crashes itself"; exit 77; }
"$ARRAYS" make . || fail "the arrays cannot be made"
mkdir plugins && cp "$PLUGIN" plugins/ || fail "no plugin at $PLUGIN"
HDF5_PLUGIN_PATH=$WORK_DIR/plugins
export HDF5_PLUGIN_PATH
cat >net.yaml <<'EOF'
data: {file: filtered_x.h5, plugins: yes}
model: {layers: [dense 5 relu, dense 3 softmax]}
train: {batch_size: 8, epochs: 2}
EOF

# What HDF5 calls crashes in three ways.
for CRASH in fault stack abort; do
  export CRASH
  refuse 65 'filtered_x.h5: HDF5 crashed while it read this' 'copy it or make it again' -- train net.yaml
done
unset CRASH
[ "$RANKS" -eq 1 ] || exit 0

# Neither does --check end without a line of ours, which works without MPI.
call env CRASH=fault "$TUTTI" train net.yaml --data.file=filtered_y.h5 --check
expect_status 65
expect_count 1 'tutti: error: filtered_y.h5: HDF5 crashed while it read this'

# Files that have crashed HDF5 1.10.8, or kept it busy for ever; other versions may refuse them or read them.
for file in "$SOURCE_DIR"/tests/fuzz/found/hdf5/*; do
  call "$TUTTI" info "$file"
  case $status in
  0) ;;
  65) expect_count 1 'tutti: error: ' ;;
  *) fail "exit status $status" ;;
  esac
done

succeed 1 train net.yaml

# HDF5 that does not come back is stopped after 5 s of processor time.  The file is open twice, and named once.
if [ -n "${CIRCLE-}" ]; then
  call env LD_PRELOAD="$CIRCLE" "$TUTTI" info runs/net/checkpoint.h5
  expect_status 65
  expect_count 1 'tutti: error: runs/net/checkpoint.h5: HDF5 did not come to an end while it read this'
fi

# A crash that is not HDF5's stays what it is.
call sh -c '"$0" "$@" & sleep 1; kill -SEGV $!; wait $!' "$TUTTI" train net.yaml --train.epochs=100000000
[ "$status" -ge 128 ] || fail "exit status $status after a fault from outside, expected that of the signal"
expect_no_text 'HDF5 crashed'
