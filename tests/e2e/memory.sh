# What a parameter costs a node in memory.  With `shared` the parameters, and what the optimizer keeps of each, are there
# once, however many ranks a node has; with `flat` every rank has its own.
#
# LAYERS and DATA are for measuring other networks: tests/bench/README.md.
. "$SOURCE_DIR/tests/e2e/lib.sh"
[ -r /proc/self/smaps_rollup ] || { note "this system does not tell"; exit 77; }
layers=${LAYERS:-dense 1536 relu, dense 1536 relu, dense 10 softmax}
data=${DATA:-$SOURCE_DIR/data/digits.h5}
job=
at_exit() { [ -z "$job" ] || kill -TERM "$job" 2>/dev/null; }

# The ranks of the launcher $job.
ranks_of_job() { ps -e -o pid= -o ppid= | awk -v top="$job" '$2 == top { print $1 }'; }

# Kilobytes that the ranks hold together, a page that several of them share counted once.
kilobytes() {
  for pid in $(ranks_of_job); do cat "/proc/$pid/smaps_rollup"; done 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum + 0 }'
}

# measure REDUCE LAYERS: sets $held, kilobytes at most while steps go on, and $parameters.
measure() {
  rm -rf run log
  "$MPIEXEC" -n "$RANKS" "$TUTTI" train --data.file="$data" --data.limit_train=640 --data.scale=unit --model.layers="$2" \
    --optimizer.name=adam --train.batch_size=64 --train.epochs=1000000 --parallel.reduce="$1" --parallel.threads=1 \
    --run.directory=run --run.checkpoint_every=0 >/dev/null 2>log </dev/null &
  job=$!
  waited=0
  until grep -q '^epoch 1/' log 2>/dev/null; do
    kill -0 $job 2>/dev/null || fail "ended before its first epoch did: $(cat log)"
    waited=$((waited + 1))
    [ $waited -lt 900 ] || fail "no epoch after 90 s: $(cat log)"
    sleep 0.1
  done
  n=$(ranks_of_job | wc -l)
  [ "$n" -eq "$RANKS" ] || fail "$n ranks found, expected $RANKS"
  held=0
  for _ in 1 2 3 4 5; do
    now=$(kilobytes)
    [ "$now" -le "$held" ] || held=$now
    sleep 0.1
  done
  kill -TERM $job
  wait $job 2>/dev/null
  job=
  parameters=$(sed -n 's/.* \([0-9]*\) parameters, .*/\1/p' log)
  note "$1, $2: $parameters parameters, $held kB"
}

# Large enough for the products to need what memory they need.
measure shared 'dense 512 relu, dense 512 relu, dense 10 softmax'
without=$held few=$parameters

# per_parameter REDUCE: sets $bytes, of a parameter on the node: what the ranks hold beyond those of a network with few.
per_parameter() {
  measure "$1" "$layers"
  bytes=$(((held - without) * 1024 / (parameters - few)))
  note "$1: $bytes bytes a parameter"
}

# Adam keeps 8 bytes of each parameter's 4; each rank has 4 of its gradient; rank 0 has 12 more, to save from.
per_parameter shared
shared=$bytes
per_parameter flat
flat=$bytes
once=$((24 + 4 * RANKS)) each=$((12 + 16 * RANKS))
note "expected: $once with what is shared there once, $each with a copy in each rank"
limit=$(((once + 16 + 12 * RANKS) / 2)) # half the way to parameters there once, but the optimizer's state in each rank
[ "$shared" -le "$limit" ] || fail "a parameter takes $shared bytes, more than $limit: its state is there more than once"
# Else there is nothing measured here.
[ "$flat" -gt "$limit" ] || fail "with flat a parameter takes only $flat bytes"
[ -z "${LAYERS:-}" ] || cat "$transcript"
