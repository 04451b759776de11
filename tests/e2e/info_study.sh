# What a study's file says: the best settings and the fit.
. "$SOURCE_DIR/tests/e2e/lib.sh"
"$STUDY" study.h5 || fail "no study"

# --- the table and the fit

succeed "$RANKS" info study.h5
expect_text 'kind study' 'goal val_accuracy >= 0.9' 'budget 800 steps'
tab=$(printf '\t')
header='batch_size steps samples seconds optimizer.learning_rate model.initializer trials reached not_reached diverged edge'
header="$header effective_lr model_steps model_steps_low model_steps_high claim"
expect_same "$(grep '^batch_size' "$out")" "$(printf '%s' "$header" | tr ' ' "$tab")"
# The best rate lies between others, and words have no edge.
expect_same "$(grep '^64' "$out" | tr "$tab" ' ')" '64 412.5 26400 4.125 0.2 he_uniform 6 1 3 2 - 0.4 - - - best of 6 trials: a varied key has no scale'
expect_same "$(grep -c "^[0-9]*$tab" "$out")" 7
expect_close "$(value S_min)" 100 1e-5
expect_close "$(value E_min)" 20000 1e-5
expect_close "$(value B_crit)" 200 1e-5
expect_close "$(value perfect_scaling_end)" 32 0
expect_close "$(value largest_useful_batch)" 1024 0
awk -v low="$(value B_crit_low)" -v high="$(value B_crit_high)" 'BEGIN { exit !(low > 0 && low < high) }' ||
  fail 'no interval of B_crit'
expect_no_text refused no_interval nan
"$STUDY" alone.h5 alone || fail "no study"
succeed "$RANKS" info alone.h5
expect_text 'no_interval ' 'of 1000 draws of the bootstrap leave fewer than 4 batch sizes'
expect_close "$(value B_crit)" 200 1e-5
expect_no_text refused B_crit_low nan

# --- what is refused

refuse 64 'tools/export_study study.h5 out' -- info study.h5 --export=out
refuse 64 '--show is for data sets' 'study.h5 is a study' -- info study.h5 --show=3
[ ! -e out ] || fail 'a folder was made for nothing'
