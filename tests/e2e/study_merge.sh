# What is done comes into the study's file while the job runs, as far as that can be written; and it says what is left.
. "$SOURCE_DIR/tests/e2e/lib.sh"
cat >study.yaml <<EOF
optimizer: {name: sgd}
study:
  problem: noisy_quadratic
  vary:
    train.batch_size: [16, 64]
    optimizer.learning_rate: [0.1, 0.11, 0.12, 0.13, 0.14]
  budget: 2000 steps
EOF

# A job that ends early leaves trials in the folder alone.
TUTTI_FAULT=study.trial:0:2
export TUTTI_FAULT
refuse 70 'fault injected at study.trial' -- study study.yaml
n_done=$(find study.h5.d -name '*.h5' | grep -c .)
unset TUTTI_FAULT
succeed 1 info study.h5
expect_same "$(value trials)" 10
expect_same "$(value waiting)" 10
expect_text "unmerged $n_done trials that are done, in study.h5.d"
# They are told together with what the file has, are in the table, and what has no trial yet is no row of it.
expect_same "$(value done)" "$n_done"
expect_same "$(value left)" $((10 - n_done))
tab=$(printf '\t')
expect_same "$(awk -F "$tab" '$1 ~ /^[0-9]+$/ { n += $7 + $8 + $9; bad += $7 + $8 + $9 == 0 } END { print n, bad + 0 }' "$out")" "$n_done 0"
mv study.h5.d away
succeed 1 info study.h5
expect_same "$(value done)" 0
expect_text 'not_begun 2 of 2 rows: no trial of them is done'
expect_no_text nan
mv away study.h5.d

# A file of some age is brought up to date after the next trial.  That it cannot be is told once, and no reason to end.
# There is one group, because others might do all trials before rank 0, which writes the file, has one.
touch -t 202001010000 study.h5
TUTTI_FAULT=study.merge:0:1
export TUTTI_FAULT
succeed "$RANKS" study study.yaml --study.ranks_per_trial="$RANKS"
expect_same "$(grep -c 'fault injected at study.merge' "$err")" 1
expect_text 'the trials that are done are safe in study.h5.d' 'tries it again'
expect_same "$("$TRIALS" rows study.h5 | grep -c .)" 10
expect_same "$(value waiting)" 0
expect_no_text unmerged
[ ! -e study.h5.d ] || fail 'the folder is left'

# At the end it is one, and the same command continues from there.
refuse 70 'fault injected at study.merge' 'no trial is lost' 'last.h5.d' 'the same command' -- \
  study study.yaml --study.output=last.h5
unset TUTTI_FAULT
succeed "$RANKS" study study.yaml --study.output=last.h5
expect_text 'last.h5: all 10 trials are done'
expect_same "$("$TRIALS" rows last.h5)" "$("$TRIALS" rows study.h5)"

# Groups that have no trial are a part of the time without one, and told of beforehand.
if [ "$RANKS" -eq 3 ]; then
  succeed 3 study study.yaml --study.output=few.h5 --study.vary.optimizer.learning_rate='[0.1]'
  expect_text '2 trials are left for 3 groups of ranks: 1 has nothing to do' study.ranks_per_trial
  idle=$(sed -n 's/.*the groups were \([0-9.]*\) % .*/\1/p' "$err")
  awk -v idle="$idle" 'BEGIN { exit !(idle >= 33 && idle <= 100) }' || fail "$idle % without a trial"
fi
