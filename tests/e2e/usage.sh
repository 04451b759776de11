# Wrong usage gives one message with the nearest right word, and status 64.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config

refuse 64 "'trian'" "did you mean train?" -- trian small.yaml
refuse 64 --trian.epochs=3 "did you mean --train.epochs" -- train small.yaml --trian.epochs=3
refuse 64 "'more'" "too many" "tutti train [CONFIG.yaml]" -- train small.yaml more
refuse 64 "--split=tset" "test, validation or train" -- eval x.h5 --split=tset
formats=$(sed -n 's/^X([A-Z0-9_]*, \([a-z0-9_]*\), .*/\1/p' "$SOURCE_DIR/include/tutti/formats.def")
refuse 64 "which format" $formats -- import
expect_files . small.yaml

# The rest is the same at any number of ranks.
[ "$RANKS" -eq 1 ] || exit 0
refuse 64 'no command' '--help' --
refuse 64 "'--verison'" "did you mean --version?" -- --verison
refuse 64 "'nothing'" --  nothing --help
refuse 64 "'nothing'" -- help nothing
refuse 64 --train.learning_rate=3 "did you mean --optimizer.learning_rate" -- train small.yaml --train.learning_rate=3
refuse 64 --batch_size=3 "did you mean --train.batch_size" -- train small.yaml --batch_size=3
refuse 64 --optimizer.lr=3 "did you mean --optimizer.learning_rate" -- train small.yaml --optimizer.lr=3
refuse 64 --optimizer.xyz=3 "--help lists" -- train small.yaml --optimizer.xyz=3
# The beginning of a name is not enough.
refuse 64 --train.epoch=3 "did you mean --train.epochs" -- train small.yaml --train.epoch=3
refuse 64 "unknown option -x" -- train small.yaml -xyz
refuse 64 --train.epochs "needs a value" -- train small.yaml --train.epochs
refuse 64 "missing" "tutti eval CHECKPOINT.h5" -- eval
refuse 64 "--splt=test" "did you mean --split" -- eval x.h5 --splt=test
refuse 64 "missing" "tutti predict CHECKPOINT.h5 INPUT.h5" -- predict a.h5 b.h5
refuse 64 "missing" "FILE" -- info
refuse 64 "--show=0" "from 1" -- info --show=0 "$SOURCE_DIR/data/digits.h5"
expect_no_text 'kind data set'
refuse 64 "'1'" "too many" -- doctor 1
refuse 64 "'cvs'" "did you mean 'csv'" -- import cvs x.csv
refuse 64 "missing" "tutti import" -- import csv
refuse 64 "--label" -- import csv x.csv --output=x.h5
refuse 64 "--output" -- import csv x.csv --label=y
refuse 64 "--x_train" -- import idx --y_train=y --output=x.h5
refuse 64 "--test_fraction=1" "below 1" -- import csv x.csv --label=y --output=x.h5 --test_fraction=1
refuse 64 "--seed=-1" -- import csv x.csv --label=y --output=x.h5 --seed=-1
refuse 64 "'class' is not a value of --kind" "classes" -- import csv x.csv --label=y --output=x.h5 --kind=class
refuse 64 "'maybe' is not a value of --bytes" "yes, no" -- import csv x.csv --label=y --output=x.h5 --bytes=maybe
expect_files . small.yaml

# The help about a list has each word of it, with its sentence.
for topic in optimizers=rules layers=layers; do
  succeed 1 help "${topic%=*}"
  sed -n 's/^X([A-Z0-9_]*, \([a-z0-9_]*\), "\(.*\)")$/\1	\2/p' "$SOURCE_DIR/include/tutti/${topic#*=}.def" >"$notes/list"
  [ -s "$notes/list" ] || fail "no list ${topic#*=}.def"
  while IFS='	' read -r word sentence; do
    grep -q -e "^$word\( \|\$\)" "$out" || fail "help ${topic%=*} lacks $word"
    expect_text "$sentence"
  done <"$notes/list"
done
succeed 1 --help
expect_text 'tutti help optimizers' 'tutti help layers'

# If results cannot be written, the program fails.
if [ -c /dev/full ]; then
  for command in doctor --help; do
    # shellcheck disable=SC2016 # for the inner shell
    call sh -c '"$TUTTI" "$0" >/dev/full' $command
    expect_status 74
    expect_count 1 'tutti: error: standard output: '
  done
fi
