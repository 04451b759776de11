# Nothing is taken for what a file only announces, and a limit on memory is told at once.
. "$SOURCE_DIR/tests/e2e/lib.sh"
"$ARRAYS" make . || fail "the arrays cannot be made"
cat >net.yaml <<'EOF'
data: {file: sound.h5}
model: {layers: [dense 5 relu, dense 3 softmax]}
train: {batch_size: 8, epochs: 2}
run: {directory: net, checkpoint_every: 1 epochs}
EOF
succeed "$RANKS" train net.yaml

# A layer as wide as no array of the file.
cp net/checkpoint.h5 wide.h5
"$SPOIL" config wide.h5 'dense 5 relu' 'dense 2000000000 relu' || fail "not spoilt"
refuse 65 wide.h5 'layer 1 of its config has 2000000000 units' 'damaged' -- eval wide.h5 --split=train
refuse 65 wide.h5 'layer 1 of its config has 2000000000 units' -- info wide.h5

# A step that cannot be, in the newest checkpoint: the one before it serves.
for step in -5 4611686018427387904; do
  rm -rf copy && cp -r net copy
  "$SPOIL" integer copy/checkpoint.h5 step $step || fail "not spoilt"
  refuse 65 copy/checkpoint.h5 "'step'" "$step" -- eval copy/checkpoint.h5 --split=train
  succeed "$RANKS" train net.yaml --run.directory=copy --train.epochs=3
  expect_count 1 'tutti: warning: checkpoint copy/checkpoint.h5 is not complete'
  expect_text 'continues from copy/checkpoint.prev.h5'
done

"$SPOIL" rows rows.h5 || fail "not made"
refuse 65 rows.h5 "'x_train'" 'never written at all' -- train net.yaml --data.file=rows.h5 --run.directory=rows

# Not with the sanitizers, which need address space of their own.
if [ -z "${SLOW-}" ] && [ "$RANKS" -eq 1 ] && (ulimit -v 300000) 2>/dev/null; then
  call sh -c 'ulimit -v 300000 && exec "$@"' sh "$TUTTI" train net.yaml --run.directory=limited
  expect_status 71
  expect_quick
  expect_count 1 'tutti: error: '
  expect_text 'OpenBLAS' 'the limit on address space is 300000 kB' 'ulimit -v'
fi

# One sample of two billion bytes, in a file of 40: plain, and as gzip of less.
[ "$RANKS" -eq 1 ] || exit 0
printf '\000\000\010\003\000\000\000\001\000\000\234\100\000\000\303\120' >x.idx
printf '\000\000\010\001\000\000\000\001\000' >y.idx
head -c 24 /dev/zero >>x.idx
gzip -k x.idx
for file in x.idx x.idx.gz; do
  call "$TUTTI" import idx --x_train=$file --y_train=y.idx --output=out.h5
  expect_status 65
  expect_count 1 "tutti: error: $file: ends inside its items: the file is truncated"
  expect_text 'announces 2000000000 bytes of them'
  [ ! -e out.h5 ] || fail "out.h5 was made"
done
