# A flipped bit in a text of a file of ours is told as damage, and a run goes on from the checkpoint before it.
. "$SOURCE_DIR/tests/e2e/lib.sh"
"$ARRAYS" make . || fail "the arrays cannot be made"
cat >net.yaml <<'EOF'
data: {file: sound.h5}
model: {layers: [dense 5 relu, dense 3 softmax]}
optimizer: {learning_rate: 0.001}
train: {batch_size: 8, epochs: 2}
run: {directory: net, checkpoint_every: 1 epochs}
EOF

# flip FROM TO FILE: texts of like length that differ in one bit.
flip() {
  grep -a -q "$1" "$3" || fail "$3 has no '$1'"
  LC_ALL=C sed "s/$1/$2/" "$3" >flipped && cat flipped >"$3"
}

succeed "$RANKS" train net.yaml
[ -e net/checkpoint.prev.h5 ] || fail "there is no checkpoint before the last"
flip 'dense 5 relu' 'dense 5 selu' net/checkpoint.h5
refuse 65 net/checkpoint.h5 "'config'" 'damaged' -- eval net/checkpoint.h5
refuse 65 net/checkpoint.h5 "'config'" 'damaged' -- info net/checkpoint.h5
succeed "$RANKS" train net.yaml --train.epochs=3
expect_count 1 'tutti: warning: checkpoint net/checkpoint.h5 is not complete'
expect_text 'continues from net/checkpoint.prev.h5'

[ "$RANKS" -eq 1 ] || exit 0

# newer EDIT...: what a newer program has written is not damaged, and the run does not go back behind it.
newer() {
  cp net/checkpoint.h5 newest.h5
  "$SPOIL" "$@" && "$SPOIL" text net/checkpoint.h5 version 9.9.9 || fail "not changed: $*"
  cp net/checkpoint.h5 newer.h5
  refuse 65 net/checkpoint.h5 'tutti ' -- train net.yaml --train.epochs=4
  cmp -s net/checkpoint.h5 newer.h5 || fail "changed although it was refused: $*"
  cp newest.h5 net/checkpoint.h5
}
newer config net/checkpoint.h5 learning_rate: learning_speed:
newer integer net/checkpoint.h5 format 99

# Whichever text it is: no other training is seen in it.
flip 'learning_rate: 0.001' 'learning_rate: 0.009' net/checkpoint.h5
refuse 65 damaged -- train net.yaml --run.resume=net/checkpoint.h5 --run.directory=other
succeed 1 train net.yaml --train.epochs=4
expect_text 'continues from net/checkpoint.prev.h5'
flip val_loss val_lo3s net/checkpoint.h5
export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" # HDF5 1.10 loses memory with each header that is damaged
succeed 1 train net.yaml --train.epochs=5
expect_text 'continues from net/checkpoint.prev.h5'
expect_no_text HDF5 # which has words of its own about a damaged object when the process ends
flip accuracy accurac9 net/metrics.h5
refuse 65 net/metrics.h5 damaged -- info net/metrics.h5
# Nor is it a failure to write where rows are to be added.
flip accurac9 accuracy net/metrics.h5
flip bindings bindinfs net/metrics.h5
refuse 65 net/metrics.h5 damaged 'Move that file away' -- train net.yaml --train.epochs=6
