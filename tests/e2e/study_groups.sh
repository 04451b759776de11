# Forty trials by four groups of two ranks are those of one group of eight.
. "$SOURCE_DIR/tests/e2e/lib.sh"
cat >study.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1, limit_train: 320}
model: {layers: [dense 12 relu, dropout 0.1, dense 10 softmax]}
optimizer: {name: adam}
parallel: {reduce: tree, leaves: 8}
study:
  vary:
    train.batch_size: [64, 256]
    optimizer.learning_rate: {from: 0.001, to: 0.1, points: 5}
  goal: val_accuracy >= 0.8
  budget: 2 epochs
  seeds: 4
EOF
succeed "$RANKS" study study.yaml --study.ranks_per_trial=2 --study.output=four.h5
expect_text '4 groups of 2 ranks'
succeed "$RANKS" study study.yaml --study.ranks_per_trial=8 --study.output=one.h5
expect_text '1 group of 8 ranks'
expect_same "$("$TRIALS" rows four.h5 | grep -c .)" 40
expect_same "$("$TRIALS" rows four.h5)" "$("$TRIALS" rows one.h5)"
expect_same "$("$TRIALS" curves four.h5)" "$("$TRIALS" curves one.h5)"
