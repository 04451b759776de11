# Training: what is printed, the files of a run, and every way to go on.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config
other=$((4 - RANKS))

# --- output and files -------------------------------------------------------------------------------------------

succeed "$RANKS" train small.yaml
expect_same "$(cut -d ' ' -f 1 "$out" | tr '\n' ' ')" \
  'val_loss val_accuracy test_loss test_accuracy test_samples epoch step samples seconds run '
expect_same "$(grep -c -v '^[a-z_]* [^ ]*$' "$out")" 0
expect_same "$(value test_samples) $(value epoch) $(value step) $(value samples)" '359 2 82 2588'
number='[0-9]*\.[0-9]\{4\}'
line="epoch [12]/2  loss $number  accuracy $number  val_loss $number  val_accuracy $number  samples/s [0-9]*  lr 0.001"
expect_same "$(grep -c "^$line\$" "$err")" 2
expect_same "$(grep -c '^epoch ' "$err")" 2
expect_same "$(grep -c -v -e '^epoch ' -e '^tutti: ' "$err")" 0
expect_files runs/small config.yaml metrics.h5 checkpoint.h5 checkpoint.prev.h5
test_loss=$(value test_loss)

# A run that is done stays as it is, and its result is printed again.
before=$(fingerprint runs/small | grep checkpoint)
succeed "$RANKS" train small.yaml
expect_count 0 'epoch '
expect_same "$(value test_loss)" "$test_loss"
expect_same "$(fingerprint runs/small | grep checkpoint)" "$before"

# The same result at another number of ranks, of the config that the run has left, in a folder with an odd name.
folder='runs/a run with spaces, "quotes" and ümlauts'
succeed $other train runs/small/config.yaml --run.directory="$folder" --train.monitor=val_loss
expect_close "$(value test_loss)" "$test_loss" 1e-4
expect_same "$(value run)" "$folder"
expect_files "$folder" config.yaml metrics.h5 checkpoint.h5 checkpoint.prev.h5 best.h5
succeed "$RANKS" eval "$folder/checkpoint.h5"
expect_close "$(value loss)" "$test_loss" 1e-4

# --- going on ---------------------------------------------------------------------------------------------------

succeed "$RANKS" train small.yaml --run.directory=runs/straight --train.epochs=4
straight=$(value test_loss)
# Two epochs more, at another number of ranks.
succeed $other train small.yaml --train.epochs=4
expect_text 'continues from runs/small/checkpoint.h5: step 82'
expect_count 0 'epoch [12]/'
expect_count 1 'epoch 3/4 '
expect_same "$(value epoch) $(value step)" '4 164'
expect_close "$(value test_loss)" "$straight" 1e-4
succeed 1 info runs/small/metrics.h5
expect_same "$(grep -c '^[1-4]	' "$out")" 4

# Stopped in mid-epoch, and on from there.
succeed "$RANKS" train small.yaml --run.directory=runs/parts --train.steps=50
expect_same "$(value epoch) $(value step)" '2 50'
succeed $other train small.yaml --run.directory=runs/parts --train.steps=100
succeed "$RANKS" train small.yaml --run.directory=runs/parts --train.epochs=4
expect_close "$(value test_loss)" "$straight" 1e-4

# From a checkpoint by its name, into another folder, with another rate.
succeed "$RANKS" train small.yaml --run.directory=runs/branch --run.resume=runs/small/checkpoint.prev.h5 \
  --train.epochs=4 --optimizer.learning_rate=0.01 --schedule.batch_growth=step --schedule.batch_factor=2 \
  --schedule.batch_milestones='1 epoch'
expect_text 'optimizer.learning_rate was 0.001 there and is 0.01 now'
expect_text 'batch 64, 21 steps per epoch'
expect_count 1 'epoch '
expect_count 1 'epoch 4/4 .* lr 0.01$'

# Another warmup begins where the run goes on: of step 140, 17 batches of 32 later, it has risen by so much.
succeed "$RANKS" train small.yaml --run.directory=runs/late --run.resume=runs/small/checkpoint.prev.h5 --train.steps=144 \
  --schedule.warmup='0.5 epochs' --run.checkpoint_every='20 steps'
expect_text 'schedule.warmup: the learning rate rises over 0.5 epochs from step 123 on'
expect_count 1 'epoch 4/.* lr 0.001$'
succeed 1 sharpness runs/late/checkpoint.prev.h5 --limit_train=10 --products=2 --epsilon=none
expect_close "$(value learning_rate)" "$(awk 'BEGIN { print 0.001 * 17 * 32 / 647 }')" 1e-4
succeed "$RANKS" train small.yaml --run.directory=runs/anew --model.weights=runs/small/checkpoint.prev.h5 \
  --train.epochs=1 --schedule.warmup='1 epoch' --run.metrics_every='1 step'
expect_text 'begins with the weights of runs/small/checkpoint.prev.h5'
expect_no_text 'the learning rate rises'

# Anew in the same folder: as in the beginning.
succeed "$RANKS" train small.yaml --run.resume=no
expect_count 2 'epoch '
expect_close "$(value test_loss)" "$test_loss" 1e-4
expect_files runs/small config.yaml metrics.h5 checkpoint.h5 checkpoint.prev.h5
succeed 1 info runs/small/metrics.h5
expect_same "$(grep -c '^[1-4]	' "$out")" 2

# --- options ----------------------------------------------------------------------------------------------------

# They win over the file; layers are separated by commas; a value may follow as an argument of its own.
succeed "$RANKS" train small.yaml --model.layers='dense 12 tanh, dense 10 softmax' --train.batch_size 64 \
  --run.directory=runs/options --train.epochs=1 --data.validation_split=0 --run.keep=1 --run.metrics_every='5 steps'
expect_text '910 parameters, batch 64, 23 steps per epoch'
expect_same "$(value step)" 23
expect_no_text val_loss
expect_files runs/options config.yaml metrics.h5 checkpoint.h5
expect_same "$("$ARRAYS" rows runs/options/metrics.h5 steps)" 4
grep -q 'batch_size: 64' runs/options/config.yaml || fail 'the resolved config does not have the option'

# Without a config file at all.
succeed "$RANKS" train --data.file="$SOURCE_DIR/data/digits.h5" --model.layers='dense 10 softmax' \
  --run.directory=runs/bare --train.steps=7
expect_same "$(value step)" 7

# The goal ends it early.
succeed "$RANKS" train small.yaml --run.directory=runs/goal --train.epochs=50 --train.stop_at='val_accuracy >= 0.3'
expect_same "$(value epoch)" 2
expect_text 'the goal is reached: val_accuracy 0.38'
# So does patience.
succeed "$RANKS" train small.yaml --run.directory=runs/patience --train.epochs=50 --train.monitor=val_loss \
  --train.patience=2 --optimizer.learning_rate=2
expect_text 'val_loss has not become better than' 'in 2 evaluations'
[ "$(value epoch)" -lt 50 ] || fail 'it went on to the end'
