# The export of a study in the layout of published data: each file, byte for byte.
. "$SOURCE_DIR/tests/e2e/lib.sh"
find_python h5py

# export STUDY FOLDER
export_study() { call "$python" "$SOURCE_DIR/tools/export_study" "$@"; }

# expect_file NAME: what stands on standard input, and no more
expect_file() {
  cat >"$notes/expected"
  cmp -s "$1" "$notes/expected" || fail "$1: $(cat "$1" 2>&1)"
}

# Without the module: which one, and where from.
call "$python" -S -E "$SOURCE_DIR/tools/export_study" any any
expect_status 1
expect_text 'export_study: No module named' 'install python3-h5py'
expect_no_text Traceback

# --- the files of the layout

"$STUDY" study.h5 || fail "no study"
export_study study.h5 out/new
expect_status 0
top=out/new/digits/fc_16_10/momentum
expect_files out/new digits
expect_files $top 16 32 64 128 256 512 1024
expect_files $top/32 study.json 6 7 8 9 10 11
expect_files $top/32/6 metadata.json measurements.csv
call "$python" "$SOURCE_DIR/tests/e2e/read_export.py" $top
expect_status 0
expect_text '42 trials of 7 batch sizes'
expect_file $top/16/study.json <<'END'
{
  "batch_size": 16,
  "dataset": "digits",
  "early_stopping": false,
  "model": "fc_16_10",
  "optimizer": "momentum",
  "parameter_configs": {
    "learning_rate": {"max_value": 0.4, "min_value": 0.1, "scale": "LOG_SCALE", "type": "DOUBLE"},
    "model.initializer": {"feasible_points": ["he_uniform", "glorot_uniform"], "type": "DISCRETE"}
  },
  "train_steps": 800
}
END
expect_file $top/16/0/metadata.json <<'END'
{
  "parameters": {
    "learning_rate": 0.1,
    "model.initializer": "he_uniform"
  },
  "seed": 0,
  "status": "COMPLETE",
  "steps": 800,
  "trial_id": 0
}
END
expect_file $top/16/5/metadata.json <<'END'
{
  "parameters": {
    "learning_rate": 0.4,
    "model.initializer": "glorot_uniform"
  },
  "seed": 0,
  "status": "INFEASIBLE",
  "steps": 800,
  "trial_id": 5
}
END
splits() { printf 'train/%s,train/%s,val/%s,val/%s,test/%s,test/%s\n' "$1" "$2" "$1" "$2" "$1" "$2"; }
header=step,$(splits cross_entropy_error classification_error)
# The curve, the test set at its end; an error is what accuracy lacks; what is not a number is empty.
printf '%s\n' "$header" 400,2,0.75,1.5,0.5,, 800,1,0.25,0.25,,0.5,0.125 | expect_file $top/16/0/measurements.csv
# Without a curve, the end.
printf '%s\n' "$header" 119,,,0.25,0.0625,0.5,0.125 | expect_file $top/1024/38/measurements.csv

# A problem that has nothing but a loss, as the noisy quadratic: its last value is the loss at the end.
cp study.h5 loss.h5
"$python" -c "import h5py; h5py.File('loss.h5', 'r+').attrs['metric'] = 'loss'" || fail "no metric"
export_study loss.h5 loss
expect_status 0
printf '%s\n' step,train/loss,val/loss,test/loss 400,2,1.5, 800,1,0.25,0.5 |
  expect_file loss/digits/fc_16_10/momentum/16/0/measurements.csv
printf '%s\n' step,train/loss,val/loss,test/loss 119,0.125,0.25,0.5 |
  expect_file loss/digits/fc_16_10/momentum/1024/38/measurements.csv

# --- nothing is written over, and what is wrong is one sentence

refuse_export() { # TEXT ARGUMENT...
  text=$1
  shift
  export_study "$@"
  expect_status 1
  expect_text "$text"
  expect_no_text Traceback
}
refuse_export 'out/new: this folder is not empty' study.h5 out/new
echo x >file
refuse_export 'file' study.h5 file
mkdir empty
export_study study.h5 empty
expect_status 0
diff -r out/new empty >/dev/null || fail 'another export in an empty folder'
refuse_export 'none.h5: no such file' none.h5 other
refuse_export 'digits.h5: not the file of a study' "$SOURCE_DIR/data/digits.h5" other
[ ! -e other ] || fail 'a folder was made for nothing'

# --- the values of JSON and CSV

cat >values.py <<'END'
import sys
from importlib.machinery import SourceFileLoader

sys.dont_write_bytecode = True
export = SourceFileLoader("export_study", sys.argv[1]).load_module()
values = [0.1, 1e300, -3, float("nan"), float("inf")]
print(export.quoted('a "b" \\ \n'), *(f"{export.number(value)},{export.number(value, '')}" for value in values))
END
call "$python" -W ignore values.py "$SOURCE_DIR/tools/export_study"
expect_status 0
expect_same "$(cat "$out")" '"a \"b\" \\ \u000a" 0.1,0.1 1e+300,1e+300 -3,-3 null, null,'

# --- a branch is a workload of its own

# branches NAME VARY FOLDER PARAMETER FOLDER PARAMETER: trial 0 and trial 1 of the study are the first of each branch
branches() {
  cat >"$1.yaml" <<END
data: {file: $SOURCE_DIR/data/digits.h5, validation_split: 0.2}
model: {layers: [dense 10 softmax]}
optimizer: {name: rmsprop}
study:
  vary:
    $2
  goal: val_accuracy >= 0.9
  budget: 3 steps
END
  succeed "$RANKS" study "$1.yaml" --study.output="$1.h5"
  export_study "$1.h5" "$1"
  expect_status 0
  for workload in "$3" "$5"; do
    call "$python" "$SOURCE_DIR/tests/e2e/read_export.py" "$1/digits/$workload"
    expect_status 0
    expect_text '1 trials of 1 batch sizes'
  done
  grep -q -F -e "$4" "$1/digits/$3/32/0/metadata.json" || fail "$1: no $4 in $3"
  grep -q -F -e "$6" "$1/digits/$5/32/1/metadata.json" || fail "$1: no $6 in $5"
}
branches rules 'optimizer.name: {sgd: {optimizer.momentum: [0.5]}, adam: {}}' \
  fc_10/momentum '"sgd"' fc_10/adam '"adam"'
grep -q momentum rules/digits/fc_10/momentum/32/0/metadata.json || fail 'a branch lacks its own key'
if grep -q momentum rules/digits/fc_10/adam/32/1/metadata.json; then fail 'a branch has the key of another'; fi
branches decays 'schedule.decay: {constant: {}, cosine: {}}' \
  fc_10/rmsprop_constant '"constant"' fc_10/rmsprop_cosine '"cosine"'
branches layers "model.layers: {'dense 9 relu, dense 10 softmax': {}, 'dense 9 tanh, dense 10 softmax': {}}" \
  fc_9_10/rmsprop relu fc_9_10/rmsprop_2 tanh
# A range of whole numbers, numbers of a list, and words.
cat >ranges.yaml <<END
data: {file: $SOURCE_DIR/data/digits.h5, validation_split: 0.2}
model: {layers: [dense 10 softmax]}
optimizer: {name: sgd, momentum: 0.5, nesterov: yes}
study:
  vary:
    train.seed: {from: 3, to: 9, points: 2}
    optimizer.learning_rate: [0.5, 0.25]
    schedule.warmup: [1 step, 2 steps]
  goal: val_accuracy >= 0.9
  budget: 1 epoch
END
succeed "$RANKS" study ranges.yaml --study.output=ranges.h5
export_study ranges.h5 ranges
expect_status 0
expect_file ranges/digits/fc_10/nesterov_momentum/32/study.json <<'END'
{
  "batch_size": 32,
  "dataset": "digits",
  "early_stopping": false,
  "model": "fc_10",
  "optimizer": "nesterov_momentum",
  "parameter_configs": {
    "train.seed": {"max_value": 9, "min_value": 3, "scale": "LOG_SCALE", "type": "INTEGER"},
    "learning_rate": {"feasible_points": [0.5, 0.25], "type": "DISCRETE"},
    "schedule.warmup": {"feasible_points": ["1 step", "2 steps"], "type": "DISCRETE"}
  },
  "train_steps": 36
}
END
