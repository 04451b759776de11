# Pictures of runs: drawn where Python has what they need, and what is wrong is said in one line.
. "$SOURCE_DIR/tests/e2e/lib.sh"
find_python h5py matplotlib
write_small_config

# plot PROGRAM ARGUMENT...
plot() {
  program=$1
  shift
  call "$python" "$SOURCE_DIR/tools/$program" "$@"
}

# Without the modules: which one, and where from.
for program in plot_run plot_study; do
  call "$python" -S -E "$SOURCE_DIR/tools/$program" any
  expect_status 1
  expect_text "$program: No module named" 'install python3-h5py'
  expect_no_text Traceback
done

# A picture and its twin for print, neither of them empty.
expect_pictures() {
  for stem; do
    head -c 8 "$stem.png" | grep -q PNG || fail "$stem.png is no PNG"
    grep -q '<svg' "$stem.svg" || fail "$stem.svg is no SVG"
  done
}

for i in 1 2; do succeed "$RANKS" train small.yaml --train.epochs=3 --train.seed=$i --run.directory=runs/$i; done
plot plot_run runs/1
expect_status 0
expect_pictures runs/1/curves
[ ! -e runs/1/noise.png ] || fail "a picture of what was not measured"
plot plot_run runs/1 runs/2/metrics.h5 --output both
expect_status 0
expect_pictures both/curves
succeed "$RANKS" train small.yaml --train.epochs=3 --run.measure=noise --run.measure_every='1 step' --run.directory=runs/noisy
plot plot_run runs/noisy
expect_status 0
expect_pictures runs/noisy/curves runs/noisy/noise
grep -q '>noise scale<\|<!-- noise scale -->' runs/noisy/noise.svg || fail "noise.svg: no curve of the noise scale"

cat >study.yaml <<EOF
data: {file: $SOURCE_DIR/data/digits.h5, validation_split: 0.2}
model: {layers: [dense 10 softmax]}
optimizer: {name: sgd}
train: {last_batch: short}
study:
  vary:
    train.batch_size: [4, 16, 32, 64]
    optimizer.learning_rate: {from: 1, to: 30, points: 3}
  goal: val_accuracy >= 0.7
  budget: 10 epochs
EOF
succeed "$RANKS" study study.yaml
plot plot_study study.h5
expect_status 0
for name in steps pareto learning_rate seconds curves; do expect_pictures study-plots/$name; done
grep -q 'E_.min / B' study-plots/steps.svg || fail "steps.svg: no fit"
[ ! -e study-plots/noise_scale.png ] || fail "a picture of what was not measured"
succeed "$RANKS" study study.yaml --study.output=measured.h5 --run.measure=noise
plot plot_study measured.h5
expect_status 0
expect_pictures measured-plots/noise_scale

# Sizes that are no powers of two are the ticks; one that nothing reached the goal at is shown as that.
succeed "$RANKS" study study.yaml --study.vary.train.batch_size='[10, 100, 1150]' --study.output=missed.h5 \
  --study.vary.optimizer.learning_rate='[1]'
plot plot_study missed.h5
expect_status 0
grep -q 'no setting reached the goal' missed-plots/steps.svg || fail "steps.svg: nothing about the batch size without a goal"
grep -q '<!-- 1,150 -->' missed-plots/steps.svg || fail "steps.svg: no tick at the batch size 1150"
if grep -q 'seeds' missed-plots/steps.svg; then fail "steps.svg: a range of seeds where there is one"; fi

# Without a goal there is what each batch size comes to at the budget.
succeed "$RANKS" study study.yaml --study.output=budget.h5 --study.goal=none --study.at_budget=val_loss
plot plot_study budget.h5
expect_status 0
expect_pictures budget-plots/at_budget
[ ! -e budget-plots/steps.png ] || fail "steps to no goal are drawn"
[ ! -e study-plots/at_budget.png ] || fail "a picture of what was not asked for"

# The picture of the learning rates shows those that were used: without momentum, the effective ones of /best.
succeed "$RANKS" study study.yaml --study.output=scaled.h5 --schedule.scaling=sqrt --schedule.base_batch_size=4
plot plot_study scaled.h5
expect_status 0
"$python" - "$SOURCE_DIR/tools" <<'EOF' || fail "plot_study draws other learning rates than those used"
import sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
source = open(sys.argv[1] + "/plot_study").read()
exec(source[:source.rindex("\nrun(")])  # all but the call of main
study = Study("scaled.h5")
used, expected = study.rates(study.best), study.best["effective_lr"]
assert (used > study.best["optimizer.learning_rate"])[1:].all()
assert (abs(used / expected - 1) < 1e-12).all(), (used, expected)
EOF

succeed "$RANKS" study study.yaml --study.output=gain.h5 --schedule.scaling=adascale --schedule.base_batch_size=4
plot plot_study gain.h5
expect_status 0
grep -q "AdaScale's gain" gain-plots/learning_rate.svg || fail "learning_rate.svg: a rate that no step had"

# Where the fit goes through a local model, its points and the band of the fit are drawn, with the best of the search beside.
succeed "$RANKS" study study.yaml --study.output=model.h5 --study.search=sobol --study.trials=20 \
  --study.vary='{train.batch_size: [4, 16, 32, 64, 128], optimizer.learning_rate: {from: 0.05, to: 20}}' \
  --data.scale=unit --study.evaluate_every='2 steps'
expect_no_text no_claim
plot plot_study model.h5
expect_status 0
for text in 'local model' '% of the fit' 'best of the search'; do
  grep -q -e "$text" model-plots/steps.svg || fail "steps.svg: no '$text'"
  if grep -q -e "$text" study-plots/steps.svg; then fail "steps.svg: '$text' without a model"; fi
done
# An interval of B_crit is one of 95 % or is not drawn.
"$python" - "$SOURCE_DIR/tools" <<'EOF' || fail "plot_study draws an interval of B_crit that is no 95 %, or none"
import sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
source = open(sys.argv[1] + "/plot_study").read()
exec(source[:source.rindex("\nrun(")])  # all but the call of main
branch, = Study("model.h5").branches
assert " to " in branch.b_crit, branch.b_crit
branch.draws = ()  # as where the fit claims no 95 %
assert " to " not in branch.b_crit, branch.b_crit
EOF
succeed "$RANKS" study study.yaml --study.output=fresh.h5 --study.confirm=2
plot plot_study fresh.h5
grep -q 'fresh seeds' fresh-plots/steps.svg || fail "steps.svg: nothing of fresh seeds"
grep -q 'local model' model-plots/learning_rate.svg || fail "learning_rate.svg: no local model"

plot plot_study runs/none.h5
expect_status 1
expect_text 'plot_study: runs/none.h5: no such file'
# Branches are drawn in one frame, but for their curves.
succeed "$RANKS" study study.yaml --study.output=branched.h5 \
  --study.vary="{train.batch_size: [16, 64, 256, 1024], optimizer.name: {sgd: {optimizer.learning_rate: [0.2, 1.2]},
    adam: {optimizer.learning_rate: {from: 0.003, to: 0.3, points: 9}}}}" --study.evaluate_every='2 steps' --data.scale=unit
plot plot_study branched.h5
expect_status 0
for name in steps pareto learning_rate seconds curves-sgd curves-adam; do expect_pictures branched-plots/$name; done
for text in '<!-- sgd' '<!-- adam' 'best of the search'; do
  grep -q -e "$text" branched-plots/steps.svg || fail "steps.svg: no line of the legend for '$text'"
done
grep -q 'local model' branched-plots/learning_rate.svg || fail "learning_rate.svg: no local model of the second branch"
[ ! -e branched-plots/curves.png ] || fail "curves of branches in one picture"

plot plot_run runs/3
expect_status 1
expect_text 'plot_run: runs/3: '
plot plot_run runs/1/checkpoint.h5
expect_status 1
expect_text 'has no table /epochs'
plot plot_study runs/1/metrics.h5
expect_status 1
expect_text 'not the file of a study'
