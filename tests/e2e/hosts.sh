# Training on several hosts, of which some may have more ranks than others: each way to sum gradients gives the result
# of one rank, `tree` to the bit.
#
# TUTTI_TEST_MPIRUN is a command that starts ranks on at least two hosts, which see this folder: it is followed by
# "-n N PROGRAM ARGUMENT...".  For example TUTTI_TEST_MPIRUN='mpirun --host one:2,two:2'.
#
# TUTTI_TEST_CUT and TUTTI_TEST_HEAL, if they are set, are commands that cut the host of rank 2 off and undo that.  Then there must
# be five hosts, one for each rank of five.
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
  for reduce in flat shared pipelined tree; do
    on_hosts $n train small.yaml --run.directory="runs/$reduce-$n" --parallel.reduce=$reduce
    case $reduce in
    pipelined) grep -qE '(pipelined|shared) reduction' "$err" || fail "$(cat "$err")" ;; # shared on one host
    *) expect_text "$reduce reduction" ;;
    esac
    expect_close "$(value test_loss)" "$alone" 1e-4
    if grep -q "ranks on [2-9] nodes" "$err"; then n_several=$((n_several + 1)); fi
  done
  expect_same "$(value test_loss)" "$tree"
  "$ARRAYS" print runs/tree-$n/checkpoint.h5 "$weights" >tree-$n.txt
  cmp tree.txt tree-$n.txt || fail "other weights on $n ranks"
done
[ "$n_several" -ge 8 ] || fail "$TUTTI_TEST_MPIRUN: $n_several of 12 trainings ran on several hosts"

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

[ -n "${TUTTI_TEST_CUT:-}" ] || {
  echo 'not tried: TUTTI_TEST_CUT does not say how to cut a host off'
  exit 0
}

# A host that is cut off ends the job, also where the launcher waits for it.
at_exit() { ${TUTTI_TEST_HEAL:-true}; kill_job; }
for reduce in flat shared pipelined tree; do
  rm -rf runs/cut
  # shellcheck disable=SC2086
  $TUTTI_TEST_MPIRUN -n 5 "$TUTTI" train small.yaml --train.epochs=100000 --run.checkpoint_every='20 steps' \
    --parallel.reduce=$reduce --run.directory=runs/cut >cut.out 2>cut.err &
  job=$!
  wait_for 60 cut.err test -e runs/cut/checkpoint.h5
  $TUTTI_TEST_CUT
  begin=$(date +%s)
  wait $job
  job=''
  [ $(($(date +%s) - begin)) -le 10 ] || fail "$reduce: it ended only after $(($(date +%s) - begin)) s"
  note "$(cat cut.err)"
  expect_same "$(grep -c '^tutti: error: ' cut.err)" 1
  grep -q 'rank 2 and the others there) has not answered' cut.err || fail "the lost host is not named: $(cat cut.err)"
  $TUTTI_TEST_HEAL
  succeed 1 info runs/cut/checkpoint.h5
done
