# Bad data: one message with file, array, row and column, and what is expected; status 65, 66 or 74.
. "$SOURCE_DIR/tests/e2e/lib.sh"
"$ARRAYS" make . || fail "the arrays cannot be made"
cat >net.yaml <<'EOF'
data: {file: sound.h5}
model: {layers: [dense 5 relu, dense 3 softmax]}
train: {batch_size: 8, epochs: 2}
EOF
succeed "$RANKS" train net.yaml
before=$(fingerprint runs/net)

# damaged STATUS FILE TEXT...: training with this file is refused.
damaged() {
  wanted_status=$1 file=$2
  shift 2
  refuse "$wanted_status" "$file" "$@" -- train net.yaml --data.file="$file"
}

damaged 66 missing.h5 'No such file'
: >empty.h5
damaged 65 empty.h5 empty
head -c 20000 "$SOURCE_DIR/data/digits.h5" >half.h5
damaged 65 half.h5 truncated
damaged 65 net.yaml 'not an HDF5 file' 'tutti import'
damaged 65 nan.h5 "'x_train'" 'row 5' 'column 2' nan finite
damaged 65 label_high.h5 "'y_train'" 'row 7' 'is 9' 'from 0 to 2'
damaged 65 short_y.h5 "'y_train' has 19 rows" "'x_train' has 20"
expect_same "$(fingerprint runs/net)" "$before"
[ -z "$(find . -name '*.tmp-*')" ] || fail 'a temporary file is left'

# The rest is the same at any number of ranks.
[ "$RANKS" -eq 1 ] || exit 0

mkdir folder.h5
damaged 74 folder.h5 folder
damaged 66 no/such/folder.h5 'No such file'
damaged 65 label_negative.h5 "'y_train'" 'row 7' 'is -1'
damaged 65 label_fraction.h5 "'y_train'" 'row 7' 'is 1.5'
damaged 65 label_test.h5 "'y_test'" 'row 2' 'is 3'
damaged 65 inf_test.h5 "'x_test'" 'row 3' 'column 1' inf
damaged 65 wide_test.h5 "'x_test' has 5 features" 'training samples have 4'
damaged 65 no_y.h5 "no array 'y_train'" 'x_train [20, 4]'
damaged 65 misspelt.h5 "no array 'x_train'" "did you mean x_trian?"
damaged 65 text_x.h5 "'x_train'" 'no numbers'
damaged 65 text_y.h5 "'y_train'" 'no numbers'
damaged 65 scalar_x.h5 "'x_train'" '[N, ...]'
damaged 65 no_rows.h5 "'x_train'" '[0, 4]' 'at least 1'
damaged 65 no_features.h5 "'x_train'" '[20, 0]' 'at least 1'
damaged 65 cube_y.h5 "'y_train'" '[20, 2, 2]' '[N, K]'
damaged 65 group_x.h5 "'x_train'" group
refuse 65 "'labels'" "arrays there" y_train -- train net.yaml --data.y_train=labels
refuse 65 "'y_train'" 'row 2' 'from 0 to 1' -- train net.yaml --model.layers='dense 2 softmax'
refuse 65 sound.h5 '1 number' 'gives 2' -- train net.yaml --model.layers='dense 2' --model.loss=mean_squared_error

# Another program's attribute `classes` stops nothing.
# Names do not steer the terminal.
succeed 1 info --show=2 names_hostile.h5
expect_text 'a?[31mred' 'b?]0;owned?'
expect_no_text "$(printf '\033')" "$(printf '\007')"
for file in names_number names_short; do
  succeed 1 train net.yaml --data.file=$file.h5 --run.directory=runs/$file
  expect_count 1 "tutti: warning: $file.h5: attribute 'classes' of 'y_train'"
  succeed 1 info $file.h5
  expect_count 1 "tutti: warning: $file.h5: attribute 'classes' of 'y_train'"
  expect_no_text 'class	name'
done
expect_text 'has 2 names, but row 2 (from 0) is class 2'
succeed 1 info names.h5
expect_text '2	quince'
expect_no_text warning

# A damaged byte is found by the array's checksum, not trained with.
cp "$SOURCE_DIR/data/digits.h5" flipped.h5
size=$(wc -c <flipped.h5)
printf '\377\000\377\000' | dd of=flipped.h5 bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
damaged 65 flipped.h5 checksum

# Checkpoints.
good=runs/net/checkpoint.h5
head -c 3000 $good >half.h5
refuse 65 half.h5 truncated -- eval half.h5
refuse 66 missing.h5 -- eval missing.h5
refuse 65 sound.h5 'not a checkpoint' -- eval sound.h5
refuse 66 missing.h5 -- eval $good --data.file=missing.h5
refuse 65 "$SOURCE_DIR/data/digits.h5" 64 4 -- eval $good --data.file="$SOURCE_DIR/data/digits.h5"
refuse 78 validation data.validation_split -- eval $good --split=validation
refuse 66 missing.h5 -- predict $good missing.h5 out.h5
refuse 65 sound.h5 "'x_tset'" "did you mean x_test?" -- predict $good sound.h5:x_tset out.h5
refuse 65 "$SOURCE_DIR/data/digits.h5" 64 4 -- predict $good "$SOURCE_DIR/data/digits.h5" out.h5
refuse 65 half.h5 truncated -- predict half.h5 sound.h5 out.h5
refuse 73 net.yaml 'file of that name' -- predict $good sound.h5 net.yaml/out.h5
[ ! -e out.h5 ] || fail 'out.h5 was made all the same'
for file in missing.h5 empty.h5 half.h5 text_x.h5; do
  call "$TUTTI" info $file
  case $file in
    missing.h5) expect_status 66 ;;
    text_x.h5) expect_status 0 ;;
    *) expect_status 65 ;;
  esac
done
expect_same "$(fingerprint runs/net)" "$before"
