# A study: the same trials whoever computes them, what is refused, and failures of one group.
. "$SOURCE_DIR/tests/e2e/lib.sh"
one=1
[ "$RANKS" -gt 1 ] || one=2

# study.yaml: 12 trials of five epochs or less; the last rate diverges.
cat >study.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1, limit_train: 400}
model: {layers: [dense 24 relu, dropout 0.1, dense 10 softmax]}
optimizer: {name: sgd, momentum: 0.9}
parallel: {reduce: tree, leaves: 4}
study:
  vary:
    train.batch_size: [32, 128]
    optimizer.learning_rate: [0.01, 0.1, 1.0e+30]
  goal: val_accuracy >= 0.6
  budget: 5 epochs
  seeds: 2
EOF

rows() { "$TRIALS" rows "$1"; }
same_trials() {
  expect_same "$(rows "$1")" "$(rows "$2")"
  expect_same "$("$TRIALS" curves "$1")" "$("$TRIALS" curves "$2")"
}

# --- the same trials at any number of ranks and groups ----------------------------------------------------------

succeed "$one" study study.yaml
tab=$(printf '\t')
expect_text 'kind study' 'goal val_accuracy >= 0.6' 'budget 5 epochs' 'refused 2 batch sizes'
expect_same "$(grep -c "^[0-9]*$tab" "$out")" 2
expect_same "$(rows study.h5 | cut -d ' ' -f 1 | tr '\n' ' ')" '0 1 2 3 4 5 6 7 8 9 10 11 '
expect_same "$(rows study.h5 | grep -c ' diverged ')" 4
[ "$(rows study.h5 | grep -c ' reached ')" -ge 2 ] || fail "too few reached the goal: $(rows study.h5)"
expect_text 'study.h5: 12 trials, 0 of them done' 'without a trial'
expect_files . study.yaml study.h5

succeed "$RANKS" study study.yaml --study.output=apart.h5
same_trials study.h5 apart.h5
succeed "$RANKS" study study.yaml --study.output=together.h5 --study.ranks_per_trial="$RANKS"
same_trials study.h5 together.h5
if [ "$RANKS" -eq 4 ]; then
  succeed 4 study study.yaml --study.output=pairs.h5 --study.ranks_per_trial=2
  same_trials study.h5 pairs.h5
fi
# Without the tree, to rounding.
succeed "$RANKS" study study.yaml --study.output=rounded.h5 --study.ranks_per_trial="$RANKS" --parallel.reduce=auto \
  --study.goal='val_accuracy >= 2'
expect_text 'nothing can reach val_accuracy >= 2'
succeed "$one" study study.yaml --study.output=rounded1.h5 --parallel.reduce=auto --study.goal='val_accuracy >= 2'
rows rounded.h5 >a.txt
rows rounded1.h5 | paste -d ' ' - a.txt >both.txt
awk '{ if ($1 != $14 || $2 != $15 || $5 != $18) bad = 1
       d = $10 - $23; if ($2 != "diverged" && (d > 1e-4 || d < -1e-4)) bad = 1 }
     END { exit bad }' both.txt || fail "$(cat both.txt)"

# A trial is the training of its config.
succeed 1 train study.yaml --train.batch_size=32 --optimizer.learning_rate=0.1 --train.seed=1 --train.epochs=5 --train.last_batch=carry \
  --train.stop_at='val_accuracy >= 0.6'
expect_close "$(value val_loss)" "$(rows study.h5 | sed -n 's/^3 //p' | cut -d ' ' -f 9)" 1e-5
expect_same "$(value step)" "$(rows study.h5 | sed -n 's/^3 //p' | cut -d ' ' -f 4)"

# --- what is measured on the way --------------------------------------------------------------------------------

expect_same "$("$TRIALS" columns study.h5)" ''
succeed "$RANKS" study study.yaml --study.output=measured.h5 --run.measure=all --run.measure_every='2 steps'
same_trials study.h5 measured.h5
"$TRIALS" columns measured.h5 >columns.txt
for column in noise_scale example_noise_scale adascale_gain grad_norm update_norm.dense_1; do
  expect_same "$(grep -c "^3 $column " columns.txt)" 1
  awk -v name="$column" '$2 == name && $3 == 0 { exit 1 }' columns.txt || fail "no number in $column: $(cat columns.txt)"
done
rm columns.txt

# --- a mean over a part of an epoch is no value of a goal -------------------------------------------------------

succeed "$one" study study.yaml --study.output=part.h5 --study.goal='loss <= 0' --study.budget='30 steps' \
  --study.evaluate_every='6 steps' --study.vary='{train.batch_size: [30], optimizer.learning_rate: [0.01]}' --study.seeds=1
expect_text 'study.goal: loss is a mean over an epoch, while the weights move' 'train_loss, with study.train_rows'
"$TRIALS" curves part.h5 >curve.txt # twelve steps an epoch
expect_same "$(cut -d ' ' -f 2 curve.txt | tr '\n' ' ')" '6 12 18 24 30 '
expect_same "$(rows part.h5 | cut -d ' ' -f 9)" "$(sed -n 's/^0 24 //p' curve.txt | cut -d ' ' -f 2)"
rm part.h5 curve.txt

# --- a goal on training rows at fixed weights -------------------------------------------------------------------

refuse 78 'study.goal' 'train_loss' 'set study.train_rows' -- study study.yaml --study.output=fixed.h5 --study.goal='train_loss <= 1'
succeed "$one" study study.yaml --study.output=fixed.h5 --study.goal='train_loss <= 1' --study.train_rows=100 \
  --study.evaluate_every='2 steps' --study.vary='{train.batch_size: [30], optimizer.learning_rate: [0.1]}' --study.seeds=1
expect_no_text 'is a mean over an epoch'
steps=$(rows fixed.h5 | cut -d ' ' -f 5)
succeed 1 train study.yaml --train.batch_size=30 --optimizer.learning_rate=0.1 --train.epochs=5 --train.train_rows=100 \
  --train.evaluate_every='2 steps' --train.last_batch=carry --train.stop_at='train_loss <= 1' --run.directory=runs/fixed
expect_same "$(value step)" "$steps"
awk -v loss="$(value train_loss)" 'BEGIN { exit !(loss > 0.5 && loss <= 1) }' || fail "train_loss $(value train_loss)"
rm fixed.h5

# --- judged by an earlier goal ----------------------------------------------------------------------------------

table() { grep "^[0-9]*$tab" "$out" | cut -f 1-3,5-; }
succeed "$one" study study.yaml --study.output=early.h5 --study.goal='val_accuracy >= 0.3'
early=$(table)
succeed 1 info study.h5
[ "$early" != "$(table)" ] || fail 'both goals are reached at once'
succeed 1 info study.h5 --goal='val_accuracy >= 0.3'
expect_text 'goal val_accuracy >= 0.3'
expect_same "$(table)" "$early"
refuse 64 'early.h5' "stopped at the study's goal" 'a goal that comes before' -- info early.h5 --goal='val_accuracy >= 0.9'
refuse 78 'did you mean val_accuracy' -- info early.h5 --goal='val_acuracy >= 0.2'
refuse 64 'study.yaml is a config' -- info study.yaml --goal='val_accuracy >= 0.2'
rm early.h5

# --- a study that is done ---------------------------------------------------------------------------------------

before=$(cksum study.h5)
cp "$out" last
succeed "$RANKS" study study.yaml
expect_text 'all 12 trials are done'
expect_same "$(cksum study.h5)" "$before"
[ ! -e study.h5.d ] || fail 'the folder is left'
succeed 1 info study.h5
expect_text 'kind study'
# Every name that the report has is told by --help, which has the keys of a study before the others.
if [ "$RANKS" -eq 1 ]; then
  awk -v tab="$tab" '/^batch_size/ { gsub(tab, "\n"); print } /^n_sizes/ { fit = 1 } fit { print $1 }' "$out" >names.txt
  succeed 1 study --help
  [ "$(wc -l <names.txt)" -ge 13 ] || fail "too few names: $(cat names.txt)"
  while read -r name; do
    grep -qw -- "$name" "$out" || fail "study --help says nothing about $name"
  done <names.txt
  expect_same "$(grep -m 1 -E '^[a-z]+:$' "$out")" study:
  rm names.txt
fi

# --- what is refused --------------------------------------------------------------------------------------------

if [ "$RANKS" -eq 1 ] || [ "$RANKS" -eq 3 ]; then
  refuse 78 study.h5 study.seeds 'was 2 there and is 1 now' 'study.output' -- study study.yaml --study.seeds=1
  refuse 78 'study.vary' '[32, 128]' '[32, 64]' -- study study.yaml --study.vary.train.batch_size='[32, 64]'
  refuse 78 'optimizer.momentum' -- study study.yaml --optimizer.momentum=0.5
  refuse 78 'study.ranks_per_trial' "$((RANKS + 1))" -- study study.yaml --study.ranks_per_trial=$((RANKS + 1))
  refuse 78 'study.goal' -- study study.yaml --study.goal=none --study.output=new.h5
  refuse 66 'nothing.h5' -- study study.yaml --data.file=nothing.h5 --study.output=new.h5
  cp "$SOURCE_DIR/data/digits.h5" data.h5
  refuse 73 'data.h5' 'not written by a study' -- study study.yaml --study.output=data.h5
  cmp -s "$SOURCE_DIR/data/digits.h5" data.h5 || fail 'a data set was replaced'
  [ ! -e data.h5.d ] || fail 'a folder is left'
  head -c 5000 study.h5 >cut.h5
  refuse 65 'cut.h5' -- study study.yaml --study.output=cut.h5
  refuse 64 "'more'" -- study study.yaml more
  # A trial whose keys do not go together is refused before the first one, with what it is.
  refuse 78 'trial 6 (batch size 128, seed 0, optimizer.learning_rate 0.01): ' 'schedule.batch_max: 64 is below' -- \
    study study.yaml --study.output=new.h5 --schedule.batch_growth=geometric --schedule.batch_every='1 epochs' \
    --schedule.batch_factor=2 --schedule.batch_max=64
  refuse 78 '(batch size 128, seed 0, optimizer.learning_rate ' ', schedule.batch_max 64): ' -- \
    study study.yaml --study.output=new.h5 --schedule.batch_growth=geometric --schedule.batch_every='1 epochs' \
    --schedule.batch_factor=2 --study.vary.schedule.batch_max='[128, 64]' --study.seeds=3
  # Also one that does not fit the data, or the number of ranks.
  refuse 78 'trial 0 (batch size 32' 'schedule.warmup is 3 epochs' -- study study.yaml --study.output=new.h5 \
    --schedule.warmup='3 epochs' --study.budget='2 epochs'
  refuse 65 'dense 9 softmax)' 'expected a class from 0 to 8' -- study study.yaml --study.output=new.h5 \
    --study.vary.model.layers="['dense 10 softmax', 'dense 12 relu, dense 9 softmax']"
  refuse 78 'trial ' 'a group of one sample' -- study study.yaml --study.output=new.h5 \
    --study.vary.model.layers="['dense 10 softmax', 'batch_norm ghost=31, dense 10 softmax']"
  refuse 78 'trial 6 (batch size 361' '361 is more than the 360 training samples' -- study study.yaml --study.output=new.h5 \
    --train.last_batch=short \
    --study.vary.train.batch_size='[32, 361]'
  refuse 78 'trial 0 ' 'study.goal' "'val_mean_absolute_error' is not measured" -- study study.yaml --study.output=new.h5 \
    --study.goal='val_mean_absolute_error <= 1'
  [ ! -e new.h5 ] || fail 'a study was begun'
  refuse 64 '--study.outptu=x' 'did you mean --study.output' -- study study.yaml --study.outptu=x
  # Other samples under the same name are another study.
  mkdir moved
  cp "$SOURCE_DIR/data/breast_cancer.h5" moved/digits.h5
  refuse 78 'contents of data.file' -- study study.yaml --data.file=moved/digits.h5 --data.scale=unit
  expect_same "$(cksum study.h5)" "$before"
fi

# --- a failure ends the job, and loses nothing ------------------------------------------------------------------

# One group: of several, one that starts late may find all trials taken.
last=$((RANKS - 1))
TUTTI_FAULT=step:$last:1
export TUTTI_FAULT
refuse 70 'fault injected at step' 'trial ' ', optimizer.learning_rate ' -- study study.yaml --study.output=failed.h5 \
  --study.ranks_per_trial="$RANKS"
for fault in study.trial:0:1 study.merge:0:1; do
  TUTTI_FAULT=$fault
  refuse 70 "fault injected at ${fault%%:*}" -- study study.yaml --study.output=failed.h5 \
    --study.ranks_per_trial="$RANKS"
done
unset TUTTI_FAULT
# Without the study's file, the trials themselves tell what data they are of.
rm failed.h5
mkdir -p other
cp "$SOURCE_DIR/data/breast_cancer.h5" other/digits.h5
refuse 78 'failed.h5.d' 'contents of data.file' -- study study.yaml --study.output=failed.h5 \
  --data.file=other/digits.h5 --data.scale=unit
rm -r other
succeed "$RANKS" study study.yaml --study.output=failed.h5
same_trials study.h5 failed.h5
expect_text 'all 12 trials are done'
[ ! -e failed.h5.d ] || fail 'the folder is left'

# --- the problem whose answer is known --------------------------------------------------------------------------

succeed "$RANKS" study --optimizer.name=sgd --study.problem=noisy_quadratic --study.output=quadratic.h5 \
  --study.vary.train.batch_size='[16, 64, 256, 1024]' --study.budget='10000 steps' \
  --study.vary.optimizer.learning_rate='[0.09, 0.0994, 0.11, 0.35, 0.368, 0.39, 1.05, 1.087, 1.12, 1.6, 1.63, 1.66]'
for pair in '16 2037' '64 536' '256 169' '1024 94'; do
  steps=$(sed -n "s/^${pair% *}$tab\([0-9.]*\).*/\1/p" "$out")
  expect_close "$steps" "${pair#* }" 0.01
done
expect_text 'goal loss <= 0.01'
expect_same "$(value n_sizes)" 4

# --- what each trial would say is said once ---------------------------------------------------------------------

succeed 1 train study.yaml --run.directory=begin --train.epochs=1
succeed "$RANKS" study study.yaml --study.output=begun.h5 --model.weights=begin/checkpoint.h5 --data.validation_split=0.2
expect_text 'trained on rows that are validation rows now' 'begins with the weights of begin/checkpoint.h5'
said() { grep -e 'validation rows now' -e 'begins with the weights' "$err" | sed 's/rank [0-9]*: //'; }
expect_same "$(said | sort | uniq -d)" ''
