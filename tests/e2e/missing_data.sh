# Numbers that nobody has stored are never zeros: arrays with missing parts are refused by name, status 65 or 66.
. "$SOURCE_DIR/tests/e2e/lib.sh"
"$ARRAYS" make . || fail "the arrays cannot be made"
cat >net.yaml <<'EOF'
data: {file: sound.h5}
model: {layers: [dense 5 relu, dense 3 softmax]}
train: {batch_size: 8, epochs: 2}
EOF

# missing STATUS FILE TEXT...: training with this file is refused.
missing() {
  wanted_status=$1 file=$2
  shift 2
  refuse "$wanted_status" "$file" "$@" -- train net.yaml --data.file="$file"
}

missing 66 virtual_gone.h5 "'x_train'" gone.h5 'does not exist'
missing 65 half_x.h5 "'x_train'" 'never written to its end' '2 of its 4 chunks'

# The rest is the same at any number of ranks.
[ "$RANKS" -eq 1 ] || exit 0

missing 65 never_y.h5 "'y_train'" 'never written at all' '4 of its 4 chunks'
refuse 65 "'w_train'" 'never written at all' -- train net.yaml --data.file=never_w.h5 --data.weights=w_train
missing 65 fill_x.h5 "'x_train'" '2 of its 4 chunks'
missing 65 no_block.h5 "'x_train'" 'never written at all'

head -c 319 sound.h5 >short.raw
head -c 320 /dev/zero >whole.raw # as numbers any file of it would do
mkfifo pipe.raw
missing 66 raw_gone.h5 "'x_train'" gone.raw 'does not exist'
missing 65 raw_short.h5 "'x_train'" short.raw 'after 319 bytes, expected 320'
missing 65 raw_pipe.h5 "'x_train'" pipe.raw 'not a regular file'

missing 65 virtual_self.h5 "'x_train'" 'from itself'
missing 65 virtual_dot.h5 "'x_train'" 'from itself'
missing 65 virtual_ring.h5 "'x_train'" virtual_ring_2.h5 'from itself'
missing 65 virtual_name.h5 "'x_tarin'" sound.h5 "'x_train' of virtual_name.h5 is made of it"
missing 65 virtual_part.h5 "'x_train'" '40 of its 80 numbers'
missing 65 virtual_again.h5 "'x_train'" '40 of its 80 numbers'
missing 65 virtual_test.h5 "'x_train'" "'x_test' of sound.h5"
missing 65 virtual_half.h5 half_x.h5 '2 of its 4 chunks' "'x_train' of virtual_half.h5 is made of it"
missing 66 virtual_deep.h5 gone.h5 "'x_train' of virtual_deep.h5 is made of it"

# HDF5 looks into these for their shape.
missing 65 growing_dot.h5 "'x_train'" 'or part of itself'
missing 65 growing_self.h5 "'x_train'" 'or part of itself'
missing 74 growing_pipe.h5 "'x_train'" pipe.raw 'not a regular file'
missing 65 growing_half.h5 "'x_train'" half_x.h5 '2 of its 4 chunks'

missing 66 link_gone.h5 "'x_train'" gone.h5 'does not exist'
missing 65 link_pipe.h5 "'x_train'" pipe.raw 'not a regular file'
missing 65 link_half.h5 half_x.h5 '2 of its 4 chunks'

# What lies outside of the file's folder is read only where that is said.
mkdir inner
for file in raw_whole virtual_whole growing_whole link_whole; do cp $file.h5 inner; done
missing 65 inner/raw_whole.h5 "'x_train'" whole.raw 'outside of the folder of inner/raw_whole.h5' 'data.external: yes'
missing 65 inner/virtual_whole.h5 "'x_train'" sound.h5 'outside of the folder' 'data.external: yes'
missing 65 inner/growing_whole.h5 "'x_train'" sound.h5 'outside of the folder' 'data.external: yes'
missing 65 inner/link_whole.h5 "'x_train'" sound.h5 'outside of the folder' 'data.external: yes'
for file in raw_whole virtual_whole growing_whole link_whole; do
  succeed 1 train net.yaml --data.file=inner/$file.h5 --data.external=yes --run.directory=inner/$file
done
refuse 78 data.external -- train net.yaml --data.external=perhaps
refuse 64 data.external 'yes or no' -- predict inner/link_whole/checkpoint.h5 sound.h5 out.h5 --data.external=perhaps
# The file that was trained on may be read again; another has to be allowed anew.
succeed 1 eval inner/link_whole/checkpoint.h5 --split=train
refuse 65 'outside of the folder' -- eval inner/link_whole/checkpoint.h5 --data.file=inner/virtual_whole.h5 --split=train
succeed 1 eval inner/link_whole/checkpoint.h5 --data.file=inner/virtual_whole.h5 --data.external=yes --split=train
refuse 65 'outside of the folder' -- predict inner/link_whole/checkpoint.h5 inner/link_whole.h5:x_train out.h5
succeed 1 predict inner/link_whole/checkpoint.h5 inner/link_whole.h5:x_train outer.h5 --data.external=yes
refuse 65 'outside of the folder' -- info --show=1 inner/raw_whole.h5
succeed 1 info --show=1 inner/raw_whole.h5 --data.external=yes
ln -s inner/virtual_whole.h5 pointer.h5
succeed 1 eval inner/link_whole/checkpoint.h5 --data.file=pointer.h5 --split=train # beside the link

# eval, predict and info see the same.
succeed 1 train net.yaml
good=runs/net/checkpoint.h5
refuse 65 half_x.h5 '2 of its 4 chunks' -- eval $good --data.file=half_x.h5 --split=train
refuse 65 half_x.h5 '2 of its 4 chunks' -- predict $good half_x.h5:x_train out.h5
refuse 65 growing_dot.h5 'or part of itself' -- info --show=1 growing_dot.h5
refuse 65 virtual_self.h5 'from itself' -- info --show=1 virtual_self.h5
[ ! -e out.h5 ] || fail 'out.h5 was made all the same'

# What is whole is read, however it is stored: the same numbers give the same network.
before=
for i in $(seq 0 19); do cp sound.h5 "many_$i.h5"; done
for file in deflated_x compact_x virtual_whole virtual_twice growing_whole link_whole virtual_own virtual_back link_back \
  virtual_over virtual_many virtual_rows; do
  succeed 1 eval $good --data.file=$file.h5 --split=train
  before=${before:-$(value loss)}
  expect_same "$(value loss)" "$before"
done
succeed 1 train net.yaml --data.file=raw_whole.h5 --run.directory=raw

# HDF5 reads as zeros what it cannot open, and all sources are open at once.
for limit in 20 24 28 32 36 40; do
  call sh -c "ulimit -n $limit && exec \"\$@\"" sh "$TUTTI" eval $good --data.file=virtual_many.h5 --split=train
  [ "$status" -ne 0 ] || expect_same "$(value loss)" "$before"
  if grep -q 'virtual_many.h5 is made of it' "$err"; then refused=$limit; fi
done
expect_same "${refused:+told}" told
# One source is open once, however many rows name it.
call sh -c "ulimit -n $refused && exec \"\$@\"" sh "$TUTTI" eval $good --data.file=virtual_rows.h5 --split=train
expect_status 0
