# A study with branches: each is searched by itself, has its own best settings and its own fit, and may be added.
. "$SOURCE_DIR/tests/e2e/lib.sh"
cat >common.yaml <<EOT
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1, limit_train: 400}
model: {layers: [dense 12 relu, dense 10 softmax]}
parallel: {reduce: tree, leaves: 4}
optimizer: {name: sgd}
study:
  search: sobol
  trials: 3
  goal: val_accuracy >= 0.7
  budget: 4 epochs
  vary:
    train.batch_size: [16, 32, 64, 128]
EOT
cat common.yaml - >study.yaml <<EOT
    optimizer.name:
      sgd: {optimizer.learning_rate: {from: 0.05, to: 1}, optimizer.momentum: {from: 0.5, to: 0.9}}
      adam: {optimizer.learning_rate: {from: 0.001, to: 0.1}}
    schedule.warmup: [0, 10 steps]
EOT
tab=$(printf '\t')
branches() { run "$RANKS" study study.yaml "$@"; }
begun() { "$TRIALS" times "$1" | cut -d ' ' -f 2 | sort; }
# What came of the trials, without their numbers.
results() { "$TRIALS" rows "$1" | cut -d ' ' -f 2- | sort; }

# --- a branch is a study of its own -----------------------------------------------------------------------------

TUTTI_FAULT=study.trial:0:1
export TUTTI_FAULT
refuse 70 'fault injected at study.trial' -- study study.yaml --study.ranks_per_trial="$RANKS"
unset TUTTI_FAULT
branches
expect_status 0
expect_text 'study.h5: 24 trials, '
expect_files . common.yaml study.yaml study.h5
cat common.yaml - >sgd.yaml <<EOT
    optimizer.learning_rate: {from: 0.05, to: 1}
    optimizer.momentum: {from: 0.5, to: 0.9}
    schedule.warmup: [0, 10 steps]
EOT
cat common.yaml - >adam.yaml <<EOT
    optimizer.learning_rate: {from: 0.001, to: 0.1}
    schedule.warmup: [0, 10 steps]
EOT
cp "$out" table
for rule in sgd adam; do
  succeed "$RANKS" study $rule.yaml --optimizer.name=$rule --study.output=$rule.h5
  sed -n "s/^$rule$tab//p" table | cut -f 1-3,5- >theirs
  # Without seconds, and of adam without the momentum that it does not have.
  grep "^[0-9]*$tab" "$out" | cut -f 1-3,5- >ours
  if [ $rule = adam ]; then
    expect_same "$(sed -n 5p theirs | cut -f 5)" nan
    cut -f 1-4,6- theirs >without
    mv without theirs
  fi
  expect_same "$(head -n 4 theirs)" "$(cat ours)"
  results $rule.h5 >>alone
done
expect_same "$(results study.h5)" "$(sort alone)"

# --- what info tells --------------------------------------------------------------------------------------------

succeed 1 info study.h5
header='optimizer.name batch_size steps samples seconds optimizer.learning_rate optimizer.momentum schedule.warmup'
expect_same "$(grep '^optimizer.name' "$out" | head -n 1 | tr "$tab" ' ')" "$header trials reached not_reached diverged edge effective_lr model_steps model_steps_low model_steps_high claim"
expect_same "$(sed -n "1,/batch_size/d; /^\$/q; p" "$out" | cut -f 1,2 | tr "$tab\n" '  ')" \
  'sgd 16 sgd 32 sgd 64 sgd 128 adam 16 adam 32 adam 64 adam 128 '
expect_same "$(sed "1,/n_sizes/d" "$out" | cut -f 1 | tr '\n' ' ')" 'sgd adam '
expect_text "optimizer.name${tab}n_sizes${tab}S_min${tab}E_min${tab}B_crit${tab}residual"

# --- another branch, with a key that no other has, and more trials ----------------------------------------------

rmsprop='rmsprop: {optimizer.learning_rate: {from: 0.001, to: 0.1}, optimizer.rho: [0.8, 0.9]}'
adam='adam: {optimizer.learning_rate: {from: 0.001, to: 0.1}}'
sgd='sgd: {optimizer.learning_rate: {from: 0.05, to: 1}, optimizer.momentum: {from: 0.5, to: 0.9}}'
begun study.h5 >times
before=$(cksum study.h5)
refuse 78 study.vary 'optimizer.name: {sgd, adam} there' 'optimizer.name: {sgd} now' '12 of the trials that are done' -- \
  study study.yaml --study.vary.optimizer.name="{$sgd}"
refuse 78 study.vary 'belongs to another study' -- study study.yaml --study.vary.optimizer.name="{$sgd, adam: {optimizer.epsilon: {from: 1e-8, to: 1e-4}}}"
expect_same "$(cksum study.h5)" "$before"
branches --study.vary.optimizer.name="{$rmsprop, $sgd, $adam}" --study.trials=4
expect_status 0
expect_text 'study.h5: 48 trials, 24 of them done'
expect_same "$(begun study.h5 | comm -23 times -)" ''
expect_same "$(grep -c "^rmsprop$tab" "$out")" 5
branches --study.vary="{train.batch_size: [16, 32, 64, 128], optimizer.name: {$rmsprop, $sgd, $adam}, schedule.warmup: [0, 10 steps]}" \
  --study.trials=4 --study.output=whole.h5
expect_status 0
expect_same "$("$TRIALS" rows study.h5)" "$("$TRIALS" rows whole.h5)"
expect_same "$("$TRIALS" curves study.h5)" "$("$TRIALS" curves whole.h5)"

# --- what is refused --------------------------------------------------------------------------------------------

refuse 78 '--study.vary.optimizer.name.sgd.optimizer.momentun' 'did you mean optimizer.momentum?' -- \
  study study.yaml --study.vary.optimizer.name='{sgd: {optimizer.momentun: [0.5]}}'
# A key that the rule does not take, though each key is right by itself.
refuse 78 'optimizer.name adam' 'adam does not take it' -- study study.yaml --study.output=new.h5 --study.trials=2 \
  --study.vary.optimizer.name='{sgd: {}, adam: {optimizer.momentum: [0.5, 0.9]}}'
[ ! -e new.h5 ] || fail 'a study was begun'

# --- the problem whose answer is known --------------------------------------------------------------------------

succeed "$RANKS" study --study.problem=noisy_quadratic --study.output=quadratic.h5 \
  --study.vary.train.batch_size='[16, 64, 256, 1024]' --study.budget='10000 steps' \
  --study.vary.optimizer.name='{sgd: {optimizer.learning_rate: [0.0994, 0.368, 1.087, 1.63]}}'
for pair in '16 2037' '64 536' '256 169' '1024 94'; do
  expect_close "$(sed -n "s/^sgd$tab${pair% *}$tab\([0-9.]*\).*/\1/p" "$out")" "${pair#* }" 0.01
done
