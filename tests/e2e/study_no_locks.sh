# A file system without locks: groups have their parts of the trials, and of two jobs neither loses what the other does.
. "$SOURCE_DIR/tests/e2e/lib.sh"
[ -n "${NO_LOCKS:-}" ] || exit 77

cat >study.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1, limit_train: 400}
model: {layers: [dense 12 relu, dense 10 softmax]}
optimizer: {name: sgd}
parallel: {reduce: tree, leaves: 4}
study:
  vary:
    train.batch_size: [32, 128]
    optimizer.learning_rate: [0.01, 0.1]
  goal: val_accuracy >= 0.6
  budget: 5 epochs
  seeds: 2
EOF
study() { "$MPIEXEC" -n "$RANKS" env LD_PRELOAD="$NO_LOCKS" "$TUTTI" study study.yaml "$@"; }
same_trials() {
  expect_same "$("$TRIALS" rows "$1")" "$("$TRIALS" rows "$2")"
  expect_same "$("$TRIALS" curves "$1")" "$("$TRIALS" curves "$2")"
}
succeed 1 study study.yaml --study.output=with.h5

# One that is alone says so, too, for other jobs.
call study --study.output=dealt.h5
expect_status 0
expect_text 'has no locks between hosts, so trials are dealt out' 'would repeat its trials'
expect_text 'dealt.h5.d: all trials are in dealt.h5' 'remove this folder'
same_trials with.h5 dealt.h5
[ -n "$(find dealt.h5.d -name '*.h5')" ] || fail 'a folder was removed in which others may be at work'
call study --study.output=dealt.h5
expect_status 0
expect_text 'all 8 trials are done'
# Nor can such a study grow while the folder is there.
call study --study.output=dealt.h5 --study.seeds=3
expect_status 78
expect_count 1 'tutti: error: '
expect_text 'dealt.h5.d: study.seeds was 2 there and is 3 now' 'has no locks to tell' 'remove this folder'
rm -r dealt.h5.d
call study --study.output=dealt.h5 --study.seeds=3
expect_status 0
expect_text '12 trials, 8 of them done'

# Two that write the file at the same times.
for i in 1 2 3; do
  study --study.output=two$i.h5 >first.out 2>first.err &
  job=$!
  call study --study.output=two$i.h5
  wait $job || fail "the first of two jobs: $(cat first.err)"
  expect_status 0
  same_trials with.h5 two$i.h5
done
