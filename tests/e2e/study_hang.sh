# Processes that hang: the others do what they can, and say what they wait for.
. "$SOURCE_DIR/tests/e2e/lib.sh"
job=
at_exit() { [ -z "$job" ] || kill -KILL "$job" 2>/dev/null; }

cat >study.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1}
model: {layers: [dense 16 relu, dense 10 softmax]}
optimizer: {name: sgd}
study:
  vary:
    train.batch_size: [32, 128]
    optimizer.learning_rate: {from: 0.01, to: 1, points: 4}
  goal: val_accuracy >= 2
  budget: 600 epochs
  evaluate_every: 60 epochs
EOF

# until_there FILE TEXT: a job in the background has written it.
until_there() {
  waited=0
  until grep -F -q -e "$2" "$1" 2>/dev/null; do
    waited=$((waited + 1))
    [ $waited -lt 600 ] || fail "$1 does not say after 30 s: $2"
    sleep 0.05
  done
}

# --- with a trial: it is left, and that is told -------------------------------------------------------------------

"$TUTTI" study study.yaml >first.out 2>first.err &
job=$!
waited=0
until [ -n "$(find study.h5.d -name '*.h5' 2>/dev/null)" ]; do
  waited=$((waited + 1))
  [ $waited -lt 600 ] || fail "no trial after 30 s: $(cat first.err)"
  sleep 0.01
done
sleep 0.1 # it is at the next one
kill -STOP $job
succeed "$RANKS" study study.yaml
expect_text 'study.h5: 1 trial is left, which other jobs compute' 'run the study again'
# It would bring its trials into the file as that was.
refuse 78 'study.h5.d: another job is at work' 'study.seeds was 1 there and is 2 now' -- study study.yaml --study.seeds=2
kill -CONT $job
wait $job || fail "the job that had hung: $(cat first.err)"
succeed "$RANKS" study study.yaml
expect_text 'all 8 trials are done'
expect_no_text 'left, which'

# --- with the right to write, or to see whether claims are seen: a job waits, and says for what -------------------

for claim in 0 1; do
  mkdir held$claim.h5.d
  "$TRIALS" hold held$claim.h5.d/claims $claim >holder 2>&1 &
  job=$!
  until_there holder held
  "$MPIEXEC" -n "$RANKS" "$TUTTI" study study.yaml --study.output=held$claim.h5 >second.out 2>second.err &
  second=$!
  until_there second.err "held$claim.h5.d: another job brings trials in or begins"
  kill -0 $second || fail "it did not wait: $(cat second.err)"
  kill -KILL $job
  wait $second || fail "the job that had waited: $(cat second.err)"
  expect_same "$("$TRIALS" rows held$claim.h5 | grep -c .)" 8
  job=
done

# --- of an earlier version, which knows trials by their numbers: nobody shares them with it -----------------------

mkdir early.h5.d
"$TRIALS" hold early.h5.d/claims 2 >holder 2>&1 &
job=$!
until_there holder held
refuse 78 'early.h5.d: a job of an earlier version is at work' -- study study.yaml --study.output=early.h5
