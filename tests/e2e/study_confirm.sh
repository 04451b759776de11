# The best setting of each batch size runs again with seeds that the search has not seen: as trials like all others.
. "$SOURCE_DIR/tests/e2e/lib.sh"
one=1
[ "$RANKS" -gt 1 ] || one=2
cat >study.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1, limit_train: 400}
model: {layers: [dense 10 softmax]}
optimizer: {name: sgd}
train: {seed: 5}
parallel: {reduce: tree, leaves: 4}
study:
  vary:
    train.batch_size: [32, 128, 300]
    optimizer.learning_rate: [0.3, 0.6, 1.2]
  goal: val_accuracy >= 0.8
  budget: 30 steps
  evaluate_every: 2 steps
  confirm: 3
EOF
rows() { "$TRIALS" rows "$1"; }
confirmed() { "$TRIALS" confirm "$1"; }
tab=$(printf '\t')

succeed "$RANKS" study study.yaml
expect_same "$(confirmed study.h5 | cut -d ' ' -f 1,3,4 | tr '\n' ' ')" \
  '9 32 10005 10 128 10005 11 300 10005 12 32 10006 13 128 10006 14 300 10006 15 32 10007 16 128 10007 17 300 10007 '
expect_same "$(rows study.h5 | grep -c .)" 9
expect_text "confirm_steps${tab}confirm_steps_low${tab}confirm_steps_high${tab}confirmed" "${tab}3/3"
[ ! -e study.h5.d ] || fail 'the folder is left'
cp study.h5 whole.h5

# One of them is the training of the best setting with that seed.
rate=$(grep "^128$tab" "$out" | cut -f 5)
succeed 1 train study.yaml --train.batch_size=128 --optimizer.learning_rate="$rate" --train.seed=10006 --train.steps=30 \
  --train.stop_at='val_accuracy >= 0.8' --train.evaluate_every='2 steps' --train.last_batch=carry
expect_same "$(value step)" "$(confirmed study.h5 | sed -n 's/^13 //p' | cut -d ' ' -f 4)"

# A job that ends in between goes on, at other numbers of ranks: the same trials.
TUTTI_FAULT=study.trial:0:$((RANKS > 1 ? 4 : 12))
export TUTTI_FAULT
run "$RANKS" study study.yaml --study.output=again.h5
[ "$status" -eq 0 ] || expect_status 70
unset TUTTI_FAULT
succeed "$one" study study.yaml --study.output=again.h5
expect_same "$(confirmed again.h5)" "$(confirmed whole.h5)"
expect_same "$(rows again.h5)" "$(rows whole.h5)"

# Asked for afterwards, or for more of them, the others stay.
succeed "$one" study study.yaml --study.output=later.h5 --study.confirm=0
expect_same "$(confirmed later.h5)" ''
expect_no_text confirm_steps
succeed "$RANKS" study study.yaml --study.output=later.h5 --study.confirm=2
expect_same "$(confirmed later.h5)" "$(confirmed whole.h5 | head -n 6)"
succeed "$RANKS" study study.yaml --study.output=later.h5
expect_same "$(confirmed later.h5)" "$(confirmed whole.h5)"

# A study that asks for fewer of them and has more seeds, so that its best are not known at first, loses none.
kinds() { confirmed "$1" | cut -d ' ' -f 2- | sort; }
kinds whole.h5 >before
succeed "$RANKS" study study.yaml --study.output=later.h5 --study.seeds=2 --study.confirm=1
kinds later.h5 >after
expect_same "$(comm -23 before after)" ''

# They have no curve, and no part where the study is judged by an earlier goal.
succeed 1 info later.h5 --goal='val_accuracy >= 0.7'
expect_text "${tab}confirmed"

# A study that grows keeps those whose setting is still the best.
succeed "$RANKS" study study.yaml --study.vary.train.batch_size='[32, 64, 128, 300]'
expect_same "$(confirmed study.h5 | grep -v ' 64 ' | cut -d ' ' -f 2-)" "$(confirmed whole.h5 | cut -d ' ' -f 2-)"
expect_same "$(confirmed study.h5 | grep -c ' 64 ')" 3

refuse 78 study.vary.train.seed 'study.confirm is 3' -- study study.yaml --study.output=new.h5 \
  --study.vary='{train.batch_size: [32], train.seed: [1, 2]}'
