# What a file says does not steer the terminal: control characters are printed as '?'.
. "$SOURCE_DIR/tests/e2e/lib.sh"
"$ARRAYS" make . || fail "the arrays cannot be made"
cat >net.yaml <<'EOF'
data: {file: sound.h5, validation_split: 0.2}
model: {layers: [dense 5 relu, dense 3 softmax]}
train: {batch_size: 8, epochs: 2}
study: {vary: {train.batch_size: [4, 8]}, goal: val_accuracy >= 0.1, budget: 2 epochs}
EOF
escape=$(printf '\033')
hostile="${escape}]0;owned$(printf '\007')x"

# tame ARGUMENT...: whatever the outcome is, nothing of it reaches the terminal.
tame() {
  call "$TUTTI" "$@"
  ! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$out" "$err" || fail "a control character is printed"
}
succeed 1 train net.yaml
succeed 1 study net.yaml
for name in metric time version; do
  for file in checkpoint metrics; do
    cp runs/net/$file.h5 $file.h5
    "$SPOIL" text $file.h5 $name "$hostile" || fail "not spoilt"
    tame info $file.h5
    expect_status 0
  done
done
cp runs/net/metrics.h5 metrics.h5
"$SPOIL" text metrics.h5 metric "$hostile" && tame info metrics.h5
expect_text '?]0;owned?x'
for name in goal budget config; do
  cp study.h5 spoilt.h5
  "$SPOIL" text spoilt.h5 $name "$hostile" || fail "not spoilt"
  tame info spoilt.h5
done
tame info "names_hostile.h5"
tame info "$hostile.h5"
tame train "$hostile.yaml"
tame train net.yaml --run.directory=other --data.x_train="$hostile"
