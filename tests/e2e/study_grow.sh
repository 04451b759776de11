# A study that has grown: what was done stays, and the rest is what a study of that extent would have computed.
. "$SOURCE_DIR/tests/e2e/lib.sh"
cat >study.yaml <<EOT
data: {file: $SOURCE_DIR/data/digits.h5, scale: unit, validation_split: 0.1, limit_train: 400}
model: {layers: [dense 12 relu, dense 10 softmax]}
parallel: {reduce: tree, leaves: 4}
optimizer: {name: sgd}
study:
  vary:
    train.batch_size: [64, 256]
    optimizer.name: [sgd, adam]
    optimizer.learning_rate: {from: 0.001, to: 0.1}
  search: sobol
  trials: 3
  goal: val_accuracy >= 0.7
  budget: 2 epochs
EOT
tab=$(printf '\t')
small() { run "$RANKS" study study.yaml "$@"; }
# When each trial began, which only a trial that was computed again would change.
begun() { "$TRIALS" times "$1" | cut -d ' ' -f 2 | sort; }

small
expect_status 0
before=$(cksum study.h5)

# --- what would lose trials is refused ----------------------------------------------------------------------------

refuse 78 study.trials 'was 3 there and is 2 now' 'trials that are done' -- study study.yaml --study.trials=2
refuse 78 study.vary '[64, 256]' '[32, 256]' '3 of the trials that are done' -- study study.yaml \
  --study.vary.train.batch_size='[32, 256]'
refuse 78 study.vary sgd -- study study.yaml --study.vary.optimizer.name='[adam, rmsprop]'
refuse 78 study.h5 study.budget 'belongs to another study' -- study study.yaml --study.trials=5 --study.budget='3 epochs'
expect_same "$(cksum study.h5)" "$before"
expect_files . study.h5 study.yaml
set -- --study.trials=1 --study.budget='1 epoch' --study.vary.train.batch_size='[7]' --study.output=old.h5
succeed 1 study study.yaml "$@" --train.last_batch=short # of 360 samples
expect_text 'an epoch ends with a step of 3 of 7 samples'
refuse 78 old.h5 'was short there and is carry now' 'train.last_batch=short continues it' \
  'the default of an earlier version' -- study study.yaml "$@"
rm old.h5

# --- a larger one takes them over ---------------------------------------------------------------------------------

begun study.h5 >times
TUTTI_FAULT=study.grow:0:1
export TUTTI_FAULT
refuse 70 'fault injected' -- study study.yaml --study.seeds=2
unset TUTTI_FAULT
expect_same "$(cksum study.h5)" "$before"
expect_files . study.h5 study.yaml times
small --study.seeds=2
expect_status 0
expect_text 'study.h5: 12 trials, 6 of them done'
expect_same "$(begun study.h5 | comm -23 times -)" ''
expect_files . study.h5 study.yaml times
small --study.seeds=2 --study.output=seeds.h5
expect_same "$("$TRIALS" rows study.h5)" "$("$TRIALS" rows seeds.h5)"
expect_same "$("$TRIALS" curves study.h5)" "$("$TRIALS" curves seeds.h5)"
expect_same "$(grep -c "^[0-9]*$tab" "$out")" 2

# --- one that was cut off takes along what waits in its folder ----------------------------------------------------

TUTTI_FAULT=study.trial:0:2
export TUTTI_FAULT
refuse 70 'fault injected' -- study study.yaml --study.output=cut.h5 --study.ranks_per_trial="$RANKS"
begun_there() { for file in cut.h5.d/*.h5; do [ ! -e "$file" ] || begun "$file"; done; }
begun_there | sort >times
n_done=$(grep -c . times)
[ "$n_done" -ge 1 ] || fail 'no trial waits in the folder'
# It does not matter where the growing is cut off, and the way back is open.
TUTTI_FAULT=study.grow:0:1
refuse 70 'fault injected at study.grow' -- study study.yaml --study.output=cut.h5 --study.seeds=2
expect_same "$(begun_there | sort)" "$(cat times)"
for seeds in 2 1; do
  TUTTI_FAULT=study.grown:0:1
  refuse 70 'fault injected at study.grown' -- study study.yaml --study.output=cut.h5 --study.seeds=$seeds
  expect_same "$(begun cut.h5)" "$(cat times)"
done
unset TUTTI_FAULT
small --study.seeds=2 --study.output=cut.h5
expect_status 0
expect_text "cut.h5: 12 trials, $n_done of them done"
expect_same "$(begun cut.h5 | comm -23 times -)" ''
[ ! -e cut.h5.d ] || fail 'the folder is left'
expect_same "$("$TRIALS" rows cut.h5)" "$("$TRIALS" rows seeds.h5)"
expect_same "$("$TRIALS" curves cut.h5)" "$("$TRIALS" curves seeds.h5)"

# --- trials that an earlier version has left, which knew them by their numbers ------------------------------------

# leave_numbered OUTPUT: a study of that name is cut off, and its trials have their numbers for names
leave_numbered() {
  TUTTI_FAULT=study.trial:0:2
  export TUTTI_FAULT
  refuse 70 'fault injected' -- study study.yaml --study.output="$1" --study.ranks_per_trial="$RANKS"
  unset TUTTI_FAULT
  for file in "$1.d"/*.h5; do
    number=$("$TRIALS" times "$file" | cut -d ' ' -f 1)
    mv "$file" "$1.d/$(printf '%06d' "$number").h5"
  done
  for file in "$1.d"/??????.h5; do begun "$file"; done | sort >times
}
leave_numbered old.h5
n_done=$(grep -c . times)
[ "$n_done" -ge 1 ] || fail 'no trial waits in the folder'
succeed 1 info old.h5
expect_same "$(value done)" "$n_done"
expect_text "unmerged $n_done trials that are done"
small --study.output=old.h5
expect_status 0
expect_text "old.h5: 6 trials, $n_done of them done"
expect_same "$(begun old.h5 | comm -23 times -)" ''
[ ! -e old.h5.d ] || fail 'the folder is left'
leave_numbered older.h5
small --study.seeds=2 --study.output=older.h5
expect_status 0
expect_text "older.h5: 12 trials, $n_done of them done"
expect_same "$(begun older.h5 | comm -23 times -)" ''
expect_same "$("$TRIALS" rows older.h5)" "$("$TRIALS" rows seeds.h5)"
expect_same "$("$TRIALS" curves older.h5)" "$("$TRIALS" curves seeds.h5)"
# They may be of another study, and one that cannot be read is named.
leave_numbered other.h5
rm other.h5 other.h5.d/config.yaml
refuse 78 'other.h5.d/00000' 'belongs to another study' study.budget -- study study.yaml --study.output=other.h5 --study.budget='3 epochs'
for file in other.h5.d/??????.h5; do : >"$file"; done
run "$RANKS" study study.yaml --study.output=other.h5
[ "$status" -ne 0 ] || fail 'an empty file is a trial'
expect_text 'other.h5.d/00000'
rm -r other.h5.d

# --- lists and texts ----------------------------------------------------------------------------------------------

# A range that has no points, a list that is longer: by values, and by the texts of choices.
cat >values.yaml <<EOT
$(sed 's/^  search.*//; s/^  trials.*//; s/{from: 0.001, to: 0.1}/[0.01, 0.1]/' study.yaml)
EOT
wide='--study.vary.optimizer.name=[rmsprop, sgd, adam]'
succeed "$RANKS" study values.yaml --study.output=values.h5
begun values.h5 >times
succeed "$RANKS" study values.yaml --study.output=values.h5 "$wide" --study.vary.train.batch_size='[32, 64, 256]' \
  --study.vary.optimizer.learning_rate='[0.01, 0.03, 0.1]'
expect_text 'values.h5: 27 trials, 8 of them done'
expect_same "$(begun values.h5 | comm -23 times -)" ''
succeed "$RANKS" study values.yaml --study.output=whole.h5 "$wide" --study.vary.train.batch_size='[32, 64, 256]' \
  --study.vary.optimizer.learning_rate='[0.01, 0.03, 0.1]'
expect_same "$("$TRIALS" rows values.h5)" "$("$TRIALS" rows whole.h5)"
expect_same "$("$TRIALS" curves values.h5)" "$("$TRIALS" curves whole.h5)"
