# The commands around a training: what they print, and that their numbers agree with each other.
. "$SOURCE_DIR/tests/e2e/lib.sh"
"$ARRAYS" make . || fail "the arrays cannot be made"
write_small_config
sed -e 's/epochs: 2/epochs: 4/' small.yaml >trained.yaml
succeed "$RANKS" train trained.yaml
test_loss=$(value test_loss) test_accuracy=$(value test_accuracy) val_accuracy=$(value val_accuracy)
checkpoint=runs/trained/checkpoint.h5

# --- eval -------------------------------------------------------------------------------------------------------

succeed "$RANKS" eval $checkpoint
expect_same "$(cut -d ' ' -f 1 "$out" | tr '\n' ' ')" 'loss accuracy samples '
expect_same "$(value samples)" 359
expect_close "$(value loss)" "$test_loss" 1e-5
expect_same "$(value accuracy)" "$test_accuracy"
succeed $((4 - RANKS)) eval $checkpoint --split=validation
expect_same "$(value samples)" 144
expect_same "$(value accuracy)" "$val_accuracy"
succeed "$RANKS" eval $checkpoint --split=train
expect_same "$(value samples)" 1294
train_accuracy=$(value accuracy)
succeed $((4 - RANKS)) eval --split=train $checkpoint --data.file="$SOURCE_DIR/data/digits.h5"
expect_same "$(value accuracy)" "$train_accuracy"

# --- predict ----------------------------------------------------------------------------------------------------

# predict answers each row; the share of right answers is the accuracy of eval.
data=$SOURCE_DIR/data/digits.h5
succeed "$RANKS" predict $checkpoint "$data" out.h5
expect_same "$(value samples)" 359
expect_same "$(value output)" out.h5
succeed 1 info out.h5
expect_text 'predictions	359 x 10	float32' 'classes	359	int32'
"$ARRAYS" print out.h5 classes >classes.txt
"$ARRAYS" print "$data" y_test >labels.txt
right=$(paste -d ' ' classes.txt labels.txt | awk '$1 == $2 { n++ } END { print n / NR }')
expect_close "$right" "$test_accuracy" 1e-5
# Each row is a distribution, and the class is its largest part.
"$ARRAYS" print out.h5 predictions | paste -d ' ' - classes.txt | awk '{
  sum = 0; best = 1
  for (i = 1; i <= 10; i++) { sum += $i; if ($i > $best) best = i }
  if (sum < 0.9999 || sum > 1.0001 || best - 1 != $11) exit 1
}' || fail 'a row of the predictions is none of probabilities, or its class is another'
succeed $((4 - RANKS)) predict $checkpoint "$data":x_train all.h5
expect_same "$(value samples)" 1438
succeed $((4 - RANKS)) predict $checkpoint "$data":x_test again.h5
"$ARRAYS" print again.h5 classes | cmp -s - classes.txt || fail 'another number of ranks predicts other classes'

# --- info -------------------------------------------------------------------------------------------------------

succeed "$RANKS" info trained.yaml
expect_text 'kind config' 'learning_rate: 0.001' 'dense (Dense)' '(None, 16)' 'Total params: 1210 (4.73 KiB)'
expect_same "$(grep -c '^kind ' "$out")" 1
succeed "$RANKS" info trained.yaml --optimizer.learning_rate=0.5 --model.layers='dense 3 relu, dense 10 softmax'
expect_text 'learning_rate: 0.5' '(None, 3)'
refuse 64 '--train.seed is a key of a config' "$data is not a config" -- info "$data" --train.seed=1
refuse 64 '--train.sed=1' 'did you mean --train.seed' -- info trained.yaml --train.sed=1
succeed 1 info "$data" --show=2
expect_text 'kind data set' 'x_train	1438 x 64	uint8' 'sample 0  label' 'sample 1  label' '@@'
expect_no_text 'sample 2'
succeed 1 info images.h5 --show=1
expect_text 'x_train	6 x 6 x 6' '@@          ' '          @@'
succeed 1 info sound.h5 --show=1
expect_text 'sample 0  label 0' '0 0.636364 0.272727 0.909091'
succeed 1 info $checkpoint
expect_text 'kind checkpoint' 'epoch 4' 'step 164' 'samples 5176' 'seed 0' 'file: ' 'Total params: 1210 (4.73 KiB)'
succeed 1 info runs/trained/metrics.h5
expect_text 'kind metrics' 'epoch	step	samples	loss	accuracy	val_loss	val_accuracy	learning_rate	batch_size	seconds'
expect_same "$(grep -c '^[1-4]	' "$out")" 4
expect_same "$(sed -n 's/^4	//p' "$out" | cut -f 1,2)" '164	5176'
expect_no_text 'ema_' 'grad_norm' 'layer'
succeed "$RANKS" train trained.yaml --train.epochs=2 --run.measure=all --run.measure_every='9 steps' \
  --optimizer.ema_momentum=0.9 --run.directory=runs/measured
succeed 1 info runs/measured/metrics.h5
expect_text 'samples_per_second	ema_val_loss	ema_val_accuracy' 'epoch	grad_norm	' '	example_noise_scale	' \
  'layer	grad_norm	weight_norm	update_norm'
expect_same "$(sed -n 's/^\(dense[_1]*\)	[0-9.e-]*	[0-9.e-]*	[0-9.e-]*$/\1/p' "$out" | tr '\n' ' ')" 'dense dense_1 '
expect_same "$(grep -c '^[12]	' "$out")" 4

# --- the average of the weights ---------------------------------------------------------------------------------

succeed "$RANKS" train trained.yaml --train.epochs=2 --optimizer.ema_momentum=0.9 --train.monitor=ema_val_loss \
  --run.directory=runs/averaged
average=$(value ema_val_loss)
last=$(value val_loss)
[ "$average" != "$last" ] || fail 'average and last weights are the same'
for asked in 'best.h5' 'best.h5 --weights=average' 'checkpoint.h5 --weights=average'; do
  # shellcheck disable=SC2086 # words
  succeed "$RANKS" eval --split=validation runs/averaged/$asked
  expect_close "$(value loss)" "$average" 1e-4
done
for asked in 'best.h5 --weights=last' 'checkpoint.h5' 'checkpoint.h5 --weights=last'; do
  # shellcheck disable=SC2086
  succeed "$RANKS" eval --split=validation runs/averaged/$asked
  expect_close "$(value loss)" "$last" 1e-4
done
succeed 1 info runs/averaged/best.h5
expect_text 'weights average'
succeed 1 info runs/averaged/checkpoint.h5
expect_no_text 'weights average'
succeed "$RANKS" predict runs/averaged/checkpoint.h5 "$data" average.h5 --weights=average
expect_same "$(value samples)" 359
run "$RANKS" eval $checkpoint --weights=average
expect_status 78
expect_text 'has no average of the weights' 'optimizer.ema_momentum=0.99'
run "$RANKS" predict $checkpoint "$data" none.h5 --weights=average
expect_status 78
[ ! -e none.h5 ] || fail 'a prediction without weights'
run "$RANKS" eval $checkpoint --weights=mean
expect_status 64
expect_text '--weights=mean: expected last or average'

# --- help and version -------------------------------------------------------------------------------------------

[ "$RANKS" -eq 1 ] || exit 0
succeed 1 --version
expect_same "$(wc -w <"$out" | tr -d ' ')" 2
for help in --help -h help; do
  succeed 1 $help
  expect_text 'mpirun -np 8 tutti train'
done
for command in $(sed -n 's/^  tutti \([a-z]*\)  .*/\1/p' "$out"); do
  for help in "$command --help" "$command x.h5 -h" "help $command" "--help $command"; do
    # shellcheck disable=SC2086 # words
    succeed 1 $help
    expect_text "usage: tutti $command"
    [ ! -s "$err" ] || fail 'help goes to standard output'
  done
  # Each option of the usage line is explained below it.
  for option in $(sed '/^$/q' "$out" | grep -o -e '--[a-z_.]*='); do
    [ "$(grep -c -e "$option" "$out")" -ge 2 ] || fail "the help of $command does not explain $option"
  done
done
succeed 1 train --help
expect_text 'train:' 'batch_size' 'samples per step, over all ranks [32]' 'keras, torch'

# --- the configs in jobs/ ---------------------------------------------------------------------------------------

cd "$SOURCE_DIR" || exit 1
for config in jobs/*.yaml; do
  if grep -q '^  problem: noisy_quadratic' "$config"; then
    succeed 1 info "$config"
    expect_text 'kind config' 'dimensions: '
  elif [ -f "$(sed -n 's/^  file: \([^ ]*\).*/\1/p' "$config")" ]; then
    succeed 1 info "$config"
    expect_text 'kind config' 'Total params: '
  else # its data does not come along
    run 1 info "$config"
    expect_status 66
    expect_text 'kind config' 'cannot read'
  fi
done
