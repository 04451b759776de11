# A file makes no library run, unless a key says so: HDF5 loads filters only with data.plugins, and a file that needs
# one is refused with the number of the filter and two ways out.
. "$SOURCE_DIR/tests/e2e/lib.sh"
"$ARRAYS" make . || fail "the arrays cannot be made"
mkdir plugins && cp "$PLUGIN" plugins/ || fail "no plugin at $PLUGIN"
HDF5_PLUGIN_PATH=$WORK_DIR/plugins
export HDF5_PLUGIN_PATH
cat >net.yaml <<'EOF'
data: {file: filtered_x.h5}
model: {layers: [dense 5 relu, dense 3 softmax]}
train: {batch_size: 8, epochs: 2}
EOF

# not_loaded ARGUMENT...: refused, and nothing was loaded
not_loaded() {
  refuse 65 filtered_x.h5 "'x_train'" '311 (flip)' 'h5repack -f GZIP=4 filtered_x.h5' "$HDF5_PLUGIN_PATH" \
    'data.plugins: yes' -- "$@"
  expect_no_text 'PLUGIN CODE RAN'
}
not_loaded train net.yaml
run "$RANKS" train net.yaml --data.plugins=yes
expect_status 0
expect_text 'PLUGIN CODE RAN'

[ "$RANKS" -eq 1 ] || exit 0

# The numbers are those that were written.
succeed 1 train net.yaml --data.file=sound.h5 --run.directory=sound
expect_no_text 'PLUGIN CODE RAN' # nothing needs it
good=sound/checkpoint.h5
succeed 1 eval $good --split=train
loss=$(value loss)
succeed 1 eval $good --split=train --data.file=filtered_x.h5 --data.plugins=yes
expect_same "$(value loss)" "$loss"

# The other commands have the same rule.
not_loaded eval $good --split=train --data.file=filtered_x.h5
not_loaded predict $good filtered_x.h5:x_train out.h5
not_loaded sharpness $good --data.file=filtered_x.h5
not_loaded info --show=1 filtered_x.h5
succeed 1 predict $good filtered_x.h5:x_train out.h5 --data.plugins=yes
succeed 1 sharpness $good --data.file=filtered_x.h5 --data.plugins=yes --epsilon=none --subspace=0 --products=5
succeed 1 info --show=1 filtered_x.h5 --data.plugins=yes
refuse 64 data.plugins 'yes or no' -- info filtered_x.h5 --data.plugins=perhaps

# A checkpoint cannot allow it, although its training had the key.
not_loaded eval runs/net/checkpoint.h5 --split=train
succeed 1 eval runs/net/checkpoint.h5 --split=train --data.plugins=yes

# Where HDF5 looked in vain, the message says so.
HDF5_PLUGIN_PATH=$WORK_DIR/nothing
refuse 65 '311 (flip)' 'also not as a plugin' "$WORK_DIR/nothing" -- train net.yaml --data.plugins=yes --run.resume=no

# Nor does the environment alone make HDF5 load something when it starts.
HDF5_PLUGIN_PATH=$WORK_DIR/plugins
call env HDF5_VOL_CONNECTOR=flip HDF5_DRIVER=flip "$TUTTI" info sound.h5
expect_status 0
expect_no_text 'PLUGIN CODE RAN'
