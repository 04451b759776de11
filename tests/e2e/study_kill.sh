# Killed at any moment and started again, a study runs no trial twice that was done and loses none; nor do several jobs
# at one time.
. "$SOURCE_DIR/tests/e2e/lib.sh"

use_scratch

# Trials that take some tenths of a second each, so that a job has many left when it is killed.
epochs=500
[ -z "${SLOW:-}" ] || epochs=50
cat >study.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1}
model: {layers: [dense 16 relu, dense 10 softmax]}
optimizer: {name: sgd}
parallel: {reduce: tree, leaves: 4}
study:
  vary:
    train.batch_size: [32, 128, 512]
    optimizer.learning_rate: {from: 0.01, to: 1, points: 5}
  goal: val_accuracy >= 2
  budget: $epochs epochs
  evaluate_every: 5 epochs
  seeds: 2
EOF
n_trials=30
succeed "$RANKS" study study.yaml --study.output=straight.h5

count() { find study.h5.d -name '*.h5' 2>/dev/null | grep -c .; }

# Trials that are done, each with the time it began: once there, it stays.
: >times
note_times() {
  for file in study.h5.d/*.h5; do
    [ ! -e "$file" ] || "$TRIALS" times "$file" || fail "$file is not whole"
  done >now
  "$TRIALS" times study.h5 >>now
  sort -u now >now.sorted
  comm -23 times now.sorted >gone
  [ ! -s gone ] || fail "lost, or computed again: $(cat gone)"
  mv now.sorted times
}

# A file of some age is brought up to date after the next trial, and not at the end alone.
touch -t 202001010000 old
is_updated() { [ ! -e study.h5 ] || [ -n "$(find study.h5 -newer old)" ]; }

n_killed=0
for pause in 0.05 0.01 0.1; do
  begun=$(count)
  "$MPIEXEC" -n "$RANKS" "$TUTTI" study study.yaml >killed.out 2>killed.err &
  job=$!
  waited=0
  until [ "$(count)" -gt "$begun" ] && is_updated; do
    kill -0 $job 2>/dev/null || break
    waited=$((waited + 1))
    [ $waited -lt 600 ] || fail "no trial after 30 s: $(cat killed.err)"
    sleep 0.05
  done
  sleep $pause
  # shellcheck disable=SC2046 # words
  if kill -KILL $(family $job) 2>/dev/null; then n_killed=$((n_killed + 1)); fi
  wait $job 2>/dev/null
  note "killed after $(count) trials"
  succeed 1 info study.h5
  note_times
  if [ "$begun" -gt 0 ]; then
    [ -n "$("$TRIALS" rows study.h5)" ] || fail 'nothing came into study.h5 while the job ran'
  fi
  touch -t 202001010000 study.h5
done
[ $n_killed -ge 2 ] || fail "only $n_killed jobs were killed before their end"
done_before=$(grep -c . times)
[ "$done_before" -lt $n_trials ] || fail 'all trials were done before the last kill'

# Two jobs at one time, of other numbers of ranks, do the rest.
"$MPIEXEC" -n 2 "$TUTTI" study study.yaml >first.out 2>first.err &
job=$!
succeed 1 study study.yaml
wait $job || fail "the first of two jobs: $(cat first.err)"
note "$(cat first.err)"
# Each knows of what the other has done; the one that ends last has it all.
succeed 1 study study.yaml
expect_text "all $n_trials trials are done"
[ ! -e study.h5.d ] || fail "the folder is left: $(ls study.h5.d)"
note_times
expect_same "$(grep -c . times)" $n_trials
expect_same "$("$TRIALS" rows study.h5)" "$("$TRIALS" rows straight.h5)"
expect_same "$("$TRIALS" curves study.h5)" "$("$TRIALS" curves straight.h5)"

# The file moved away while the folder has trials: they are not lost, nor taken for those of another study.
"$MPIEXEC" -n "$RANKS" "$TUTTI" study study.yaml --study.output=moved.h5 >killed.out 2>killed.err &
job=$!
until [ -n "$(find moved.h5.d -name '*.h5' 2>/dev/null)" ]; do
  kill -0 $job 2>/dev/null || break
  sleep 0.05
done
# shellcheck disable=SC2046
kill -KILL $(family $job) 2>/dev/null
wait $job 2>/dev/null
rm -f moved.h5
refuse 78 'moved.h5.d/config.yaml' 'study.budget' -- study study.yaml --study.output=moved.h5 --study.budget='9 epochs'
succeed 1 study study.yaml --study.output=moved.h5
expect_no_text ', 0 of them done'
expect_same "$("$TRIALS" rows moved.h5)" "$("$TRIALS" rows straight.h5)"
