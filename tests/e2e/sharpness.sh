# Curvature of a checkpoint: what is printed, its sense, and what is refused.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config
sed -i -e 's/- dropout 0.1/- batch_norm/' -e 's/epochs: 2/epochs: 4/' small.yaml
succeed "$RANKS" train small.yaml
checkpoint=runs/small/checkpoint.h5
succeed 1 eval $checkpoint --split=train
train_loss=$(value loss)

succeed "$RANKS" sharpness $checkpoint --subspace=50
expect_same "$(cut -d ' ' -f 1 "$out" | tr '\n' ' ')" 'samples train_loss learning_rate lambda_max lambda_residual lambda_min lambda_min_residual products lr_lambda sharpness_0.001 sharpness_0.0005 sharpness_0.001_subspace_50 sharpness_0.0005_subspace_50 '
expect_same "$(value samples)" 1294
expect_close "$(value train_loss)" "$train_loss" 1e-5
expect_same "$(value learning_rate)" 0.001
awk '{ v[$1] = $2 } END {
  exit !(v["lambda_max"] > 0 && v["lambda_residual"] <= 1e-3 * v["lambda_max"] && v["lambda_max"] > v["lambda_min"] &&
    v["sharpness_0.001"] > v["sharpness_0.0005"] && v["sharpness_0.0005"] > 0 &&
    v["sharpness_0.001_subspace_50"] > v["sharpness_0.0005_subspace_50"] && v["sharpness_0.0005_subspace_50"] > 0)
}' "$out" || fail 'the numbers make no sense'
[ ! -s "$err" ] || fail 'a warning, but all is settled'
cp "$out" here.txt

# Another number of ranks gives the same, name by name.
succeed $((4 - RANKS)) sharpness $checkpoint --subspace=50
while read -r name number; do
  case $name in *residual) continue ;; esac
  expect_close "$number" "$(value "$name")" 2e-5
done <here.txt

# Boxes of one's own, on fewer samples, and none.
succeed "$RANKS" sharpness --epsilon=0.01 --subspace=0 --limit_train=100 $checkpoint
expect_same "$(value samples)" 100
expect_same "$(tail -n 1 "$out" | cut -d ' ' -f 1)" sharpness_0.01
succeed "$RANKS" sharpness $checkpoint --epsilon=none --products=2 --data.file="$SOURCE_DIR/data/digits.h5"
expect_same "$(value products)" 2
expect_same "$(tail -n 1 "$out" | cut -d ' ' -f 1)" lr_lambda
expect_text 'have not settled after 2 products' '--products'

refuse 64 '--subspace=4000' 'weights' -- sharpness $checkpoint --subspace=4000 --products=1
refuse 66 missing.h5 -- sharpness missing.h5
[ "$RANKS" -eq 1 ] || exit 0
refuse 64 missing 'tutti sharpness CHECKPOINT.h5' -- sharpness
refuse 64 '--epsilon=0.1,-1' "'-1'" 'above 0' -- sharpness $checkpoint --epsilon=0.1,-1
refuse 64 '--epsilon=0.1,' "''" -- sharpness $checkpoint --epsilon=0.1,
refuse 64 '--epsilon' 'more than 8' -- sharpness $checkpoint --epsilon=1,1,1,1,1,1,1,1,1
refuse 64 '--subspace=few' 'whole number' -- sharpness $checkpoint --subspace=few
refuse 64 '--tolerance=0' 'above 0' -- sharpness $checkpoint --tolerance=0
refuse 64 '--products=0' 'from 1' -- sharpness $checkpoint --products=0
refuse 64 '--epsiln=1' 'did you mean --epsilon' -- sharpness $checkpoint --epsiln=1
refuse 65 'not a checkpoint' -- sharpness "$SOURCE_DIR/data/digits.h5"
