# Training on several hosts, of which some may have more ranks than others: each way to sum gradients gives the result
# of one rank, `tree` to the bit.
#
# TUTTI_TEST_MPIRUN is a command that starts ranks on at least two hosts, which see this folder: it is followed by
# "-n N PROGRAM ARGUMENT...".  For example TUTTI_TEST_MPIRUN='mpirun --host one:2,two:2'.
. "$SOURCE_DIR/tests/e2e/lib.sh"
[ -n "${TUTTI_TEST_MPIRUN:-}" ] || {
  echo 'skipped: TUTTI_TEST_MPIRUN does not say how to start ranks on several hosts'
  exit 77
}
write_small_config
weights=/model/weights/dense/kernel

# on_hosts N ARGUMENT...: the program on N ranks, wherever the launcher puts them.
on_hosts() {
  n_ranks=$1
  shift
  # shellcheck disable=SC2086 # a command with its options
  call $TUTTI_TEST_MPIRUN -n "$n_ranks" "$TUTTI" "$@"
  expect_status 0
}

succeed 1 train small.yaml --run.directory=runs/alone
alone=$(value test_loss)
succeed 1 train small.yaml --run.directory=runs/tree --parallel.reduce=tree
tree=$(value test_loss)
"$ARRAYS" print runs/tree/checkpoint.h5 "$weights" >tree.txt

n_several=0
for n in 2 3 5; do
  for reduce in flat shared tree; do
    on_hosts $n train small.yaml --run.directory="runs/$reduce-$n" --parallel.reduce=$reduce
    expect_text "$reduce reduction"
    expect_close "$(value test_loss)" "$alone" 1e-4
    if grep -q "ranks on [2-9] nodes" "$err"; then n_several=$((n_several + 1)); fi
  done
  expect_same "$(value test_loss)" "$tree"
  "$ARRAYS" print runs/tree-$n/checkpoint.h5 "$weights" >tree-$n.txt
  cmp tree.txt tree-$n.txt || fail "other weights on $n ranks"
done
[ "$n_several" -ge 6 ] || fail "$TUTTI_TEST_MPIRUN: $n_several of 9 trainings ran on several hosts"

# On from there, on fewer ranks and on one.
on_hosts 3 train small.yaml --run.directory=runs/tree-5 --parallel.reduce=tree --train.epochs=3
there=$(value test_loss)
succeed 1 train small.yaml --run.directory=runs/tree --parallel.reduce=tree --train.epochs=3
expect_same "$(value test_loss)" "$there"

# What fails on one rank ends all.
# shellcheck disable=SC2086
call $TUTTI_TEST_MPIRUN -n 3 env TUTTI_FAULT=step:2:7 "$TUTTI" train small.yaml --run.directory=runs/fault
[ "$status" -ne 0 ] || fail 'a rank has failed, and the launcher does not tell'
expect_text 'rank 2 on ' 'fault injected at step'
expect_quick
