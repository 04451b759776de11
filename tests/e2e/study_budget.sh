# A study without a goal: what each batch size comes to at the budget; and the same asked of any study's curves.
. "$SOURCE_DIR/tests/e2e/lib.sh"
cat >study.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1, limit_train: 400}
model: {layers: [dense 24 relu, dense 10 softmax]}
optimizer: {name: sgd}
parallel: {reduce: tree, leaves: 4}
study:
  vary:
    train.batch_size: [36, 120, 360]
    optimizer.learning_rate: [0.1, 0.5, 1.0e+30]
  at_budget: val_loss
  budget: 8 epochs
  seeds: 2
EOF
tab=$(printf '\t')
table() { sed -n "/^batch_size${tab}budget/,/^$/p" "$out"; }
# column NAME BATCH_SIZE BUDGET
column() {
  table | awk -F "$tab" -v name="$1" -v size="$2" -v budget="$3" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
    $1 == size && $2 == budget { print $at }'
}

succeed "$RANKS" study study.yaml
expect_text 'goal none' 'at_budget the best val_loss until 8 epochs'
expect_no_text "batch_size${tab}steps" refused
expect_same "$(table | cut -f 1,2 | tr "$tab\n" '  ')" \
  'batch_size budget 36 1 36 2 36 4 36 8 120 1 120 2 120 4 120 8 360 1 360 2 360 4 360 8 '
expect_same "$(column trials 36 8) $(column diverged 36 8) $(column ended 36 8)" '6 2 0'
# Each value is that of the training with these settings: of two seeds the worse is the median.
rate=$(column optimizer.learning_rate 120 4)
for seed in 0 1; do
  succeed 1 train study.yaml --train.batch_size=120 --optimizer.learning_rate="$rate" --train.seed=$seed --train.epochs=4 \
    --train.last_batch=carry --run.directory=run$seed --train.monitor=val_loss
  value val_loss
done | sort -g | tail -n 1 >worse
succeed 1 info study.h5
expect_close "$(column value 120 4)" "$(cat worse)" 1e-5
before=$(table)

# Asked of the curves: the same, and another metric until another budget.
succeed 1 info study.h5 --budget='8 epochs' --metric=val_loss
expect_same "$(table)" "$before"
succeed 1 info study.h5 --budget='12 steps' --metric=val_accuracy
expect_text 'at_budget the best val_accuracy until 12 steps'
expect_same "$(column at_steps 120 12)" 12
refuse 64 "--budget=soon" "'5 epochs'" -- info study.h5 --budget=soon
refuse 64 'no curve of this study has a value of val_acuracy' -- info study.h5 --metric=val_acuracy
refuse 64 'leave one of them out' -- info study.h5 --metric=val_loss --goal='val_loss <= 1'
refuse 64 'are for studies' 'study.yaml is a config' -- info study.yaml --budget='5 epochs'
refuse 78 'study.goal is missing' 'at_budget: val_accuracy' -- study study.yaml --study.at_budget=none --study.output=new.h5
refuse 78 'study.confirm needs study.goal' -- study study.yaml --study.confirm=2 --study.output=new.h5
# Before the first trial it is told of a metric that is not measured; a training has nothing to do with it.
refuse 78 "study.at_budget: 'val_mean_absolute_error' is not measured" val_accuracy -- study study.yaml --study.at_budget=val_mean_absolute_error \
  --study.output=new.h5
succeed 1 train study.yaml --study.at_budget=val_mean_absolute_error --train.steps=1 --run.directory=alone

# A study with a goal that is done has it afterwards; its trials have ended at the goal.
succeed "$RANKS" study study.yaml --study.goal='val_accuracy >= 0.3' --study.output=goal.h5 --study.at_budget=none
expect_no_text at_budget
succeed "$RANKS" study study.yaml --study.goal='val_accuracy >= 0.3' --study.output=goal.h5
expect_text 'all 18 trials are done' "batch_size${tab}steps"
expect_same "$(column ended 36 8)" 2
# Asked for another metric, it has that one.
succeed "$RANKS" study study.yaml --study.goal='val_accuracy >= 0.3' --study.output=goal.h5 --study.at_budget=val_accuracy
expect_text 'all 18 trials are done' 'at_budget the best val_accuracy until 8 epochs'

# Without a goal the trials have their values of the metric that is asked for now, whatever they were watched for.
values() { "$TRIALS" rows "$1" | cut -d ' ' -f 1,8,9; }
succeed "$RANKS" study study.yaml --study.at_budget=val_accuracy --study.output=accuracy.h5
values accuracy.h5 >right
values study.h5 | cmp -s right - && fail 'val_loss and val_accuracy have the same values'
cp study.h5 small.h5
succeed "$RANKS" study study.yaml --study.at_budget=val_accuracy
expect_same "$(values study.h5)" "$(cat right)"
# Also where it grows at the same time, from the moment it has.
TUTTI_FAULT=study.grown:0:1
export TUTTI_FAULT
refuse 70 'fault injected' -- study study.yaml --study.output=small.h5 --study.seeds=3 --study.at_budget=val_accuracy
unset TUTTI_FAULT
values small.h5 | cut -d ' ' -f 2- | sort >grown
expect_same "$(cut -d ' ' -f 2- right | sort | comm -23 - grown)" ''

# Where the batch grows and the rest of an epoch is left out, epochs have 90, 90, 100, 100 and 100 of 100 samples.
set -- --data.limit_train=111 --train.last_batch=drop --schedule.batch_growth=geometric --schedule.batch_every='2 epochs' \
  --schedule.batch_factor=1.7 --schedule.batch_max=50 --study.budget='5 epochs' --study.seeds=1 --study.output=drops.h5 \
  --study.vary='{train.batch_size: [30], optimizer.learning_rate: [0.3]}'
succeed "$RANKS" study study.yaml "$@" --study.at_budget=loss
expect_same "$(column at_samples 30 1.25) $(column at_samples 30 2.5) $(column at_samples 30 5)" '90 180 480'
expect_close "$(values drops.h5 | cut -d " " -f 2)" "$(column value 30 5)" 1e-5
goal="loss <= $(column value 30 2.5 | awk '{ print $1 + 1e-3 }')"
succeed 1 info drops.h5 --goal="$goal"
judged=$(grep "^30$tab[0-9]*$tab" "$out" | head -n 1 | cut -f 1-3)
expect_same "$judged" "30${tab}6${tab}180"
rm drops.h5
succeed "$RANKS" study study.yaml "$@" --study.at_budget=none --study.goal="$goal"
expect_same "$(grep "^30$tab[0-9]*$tab" "$out" | head -n 1 | cut -f 1-3)" "$judged"
# Rows that lie within the epochs alone are of parts.
rm drops.h5
succeed "$RANKS" study study.yaml "$@" --study.at_budget=loss --study.evaluate_every='2 steps' --study.budget='5 steps'
expect_same "$(column at_samples 30 5)" ''
