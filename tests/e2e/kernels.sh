# Who computes the products of a training: what is measured once holds for all runs, and a run that goes on keeps it.
. "$SOURCE_DIR/tests/e2e/lib.sh"
use_scratch
export XDG_CACHE_HOME="$WORK_DIR/cache"

cat >net.yaml <<EOF
data: {file: $SOURCE_DIR/data/mnist.h5, limit_train: 600, limit_test: 200}
model: {layers: [dense 40 relu, dense 10 softmax]}
optimizer: {name: sgd, momentum: 0.9}
train: {batch_size: 60, epochs: 2}
parallel: {threads: 1}
EOF

# weights RUN: the bits of its weights.
weights() {
  for array in dense/kernel dense/bias dense_1/kernel; do
    "$ARRAYS" print "$1/checkpoint.h5" "/model/weights/$array"
  done
}
# expect_same_weights RUN RUN
expect_same_weights() {
  weights "$1" >one.txt
  weights "$2" >other.txt
  cmp one.txt other.txt || fail "$1 and $2 have other weights"
}

# Two runs of one config have the same bits: the second one measures nothing.
succeed "$RANKS" train net.yaml --run.directory=first
set -- cache/tutti/*.txt
[ $# -eq 1 ] && [ -s "$1" ] || fail "the cache has: $*"
cache=$1
cp "$cache" before.txt
succeed "$RANKS" train net.yaml --run.directory=second
cmp before.txt "$cache" || fail 'it was measured again'
expect_same_weights first second

# prefer WHO: a cache made by hand, in which WHO (own or blas) is the fastest for every shape.
prefer() {
  awk -v who="$1" '{
    for (i = 6; i < NF; i += 2) $(i + 1) = (($i == "own") == (who == "own")) ? 10 : 1000
    print
  }' before.txt >"$cache"
}
# expect_choice RUN WHO: each word of its choice.
expect_choice() {
  succeed 1 info "$1/checkpoint.h5"
  grep '^products ' "$out" >choice.txt || fail "$1: no choice is recorded"
  grep -q 'forward 784 40' choice.txt || fail "$1: no layer is in its choice"
  other=own
  [ "$2" = blas ] || other=blas
  if grep -q " $other:" choice.txt; then fail "$1: not all products are computed by $2"; fi
}
for who in own blas; do
  prefer $who
  succeed "$RANKS" train net.yaml --run.directory=$who
  expect_choice $who $who
done

# A damaged cache is passed over.
printf 'forward 64 784 40 1 own\n\377\376 input_gradient\nown own own' >"$cache"
succeed "$RANKS" train net.yaml --run.directory=damaged
grep -q '^forward 64 784 40 1 own [0-9]' "$cache" || fail 'nothing was measured after damage'
# Without a folder for it, each run measures.
XDG_CACHE_HOME=/proc/none succeed "$RANKS" train net.yaml --run.directory=uncached
expect_text 'cannot keep how long matrix products take (' 'set XDG_CACHE_HOME'
XDG_CACHE_HOME='' HOME='' succeed "$RANKS" train net.yaml --run.directory=uncached --run.resume=no
expect_text 'neither XDG_CACHE_HOME nor HOME names a folder'

# A run that goes on keeps its choice, whatever the cache says by then.
prefer blas
succeed "$RANKS" train net.yaml --run.directory=resumed --train.epochs=1
prefer own
succeed "$RANKS" train net.yaml --run.directory=resumed
expect_choice resumed blas
expect_same_weights resumed blas

# A reader of a checkpoint has its choice too, so it measures nothing, and its figures are those of the training.
prefer own
succeed "$RANKS" train net.yaml --run.directory=blas --run.resume=auto
digits=$(value test_loss)
for command in eval sharpness; do
  XDG_CACHE_HOME="$WORK_DIR/other" succeed "$RANKS" $command blas/checkpoint.h5
  [ ! -e other ] || fail "$command has measured"
  [ $command = sharpness ] || expect_same "$(value loss)" "$digits"
done

# The key decides without times, and fixed order leaves no choice.
prefer own
succeed "$RANKS" train net.yaml --run.directory=by_blas --parallel.kernels=blas
expect_same_weights by_blas blas
prefer blas
succeed "$RANKS" train net.yaml --run.directory=by_own --parallel.kernels=own
loss=$(value test_loss)
expect_same_weights by_own own
run "$RANKS" train net.yaml --run.directory=tree --parallel.kernels=blas --parallel.reduce=tree
expect_status 78
expect_text 'parallel.kernels' 'no fixed order'
run "$RANKS" train net.yaml --run.directory=bad --parallel.kernels=mine
expect_status 78
expect_text 'parallel.kernels' 'measured, blas, own'

# Products of bfloat16 are other numbers, and with `tree` the same ones at any number of ranks.
run "$RANKS" train net.yaml --run.directory=bad --model.compute=bfloat16 --parallel.kernels=blas
expect_status 78
expect_text 'no products of bfloat16'
TUTTI_VECTORS=avx2 run "$RANKS" train net.yaml --run.directory=bad --model.compute=bfloat16
expect_status 78
expect_text 'needs a processor with AVX-512 BF16' 'model.compute=float32'
TUTTI_VECTORS=avx2 succeed 1 info net.yaml --model.compute=bfloat16
grep -q avx512_bf16 /proc/cpuinfo 2>/dev/null || exit 0
succeed 1 train net.yaml --run.directory=alone --model.compute=bfloat16 --parallel.reduce=tree --parallel.leaves=6
succeed "$RANKS" train net.yaml --run.directory=rounded --model.compute=bfloat16 --parallel.reduce=tree --parallel.leaves=6
expect_close "$(value test_loss)" "$loss" 0.02
expect_same_weights alone rounded
weights by_own >one.txt
if cmp -s one.txt other.txt; then fail 'bfloat16 gives the numbers of float32'; fi

# On one thread such products leave nothing to choose, and nothing is recorded.
succeed "$RANKS" train net.yaml --run.directory=plain --model.compute=bfloat16
succeed 1 info plain/checkpoint.h5
expect_no_text 'products kernels'

# The weights of such a training can be used on any processor, but it goes on only on one like its own.
succeed "$RANKS" eval rounded/checkpoint.h5
expect_no_text 'with float32'
TUTTI_VECTORS=avx2 succeed "$RANKS" predict rounded/checkpoint.h5 "$SOURCE_DIR/data/mnist.h5:x_test" predicted.h5
expect_text 'with float32'
TUTTI_VECTORS=avx2 succeed "$RANKS" sharpness rounded/checkpoint.h5
expect_text 'with float32'
TUTTI_VECTORS=avx2 succeed "$RANKS" eval rounded/checkpoint.h5
expect_same "$(grep -c 'with float32' "$err")" 1
expect_close "$(value loss)" "$loss" 0.02
TUTTI_VECTORS=avx2 succeed 1 info rounded/checkpoint.h5
TUTTI_VECTORS=avx2 run "$RANKS" train net.yaml --run.directory=rounded --model.compute=bfloat16 --parallel.reduce=tree --parallel.leaves=6
expect_status 78
expect_text 'needs a processor with AVX-512 BF16'
