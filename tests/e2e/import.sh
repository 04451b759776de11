# Data of other formats: what goes in comes out, plain and compressed; slips are named with their line.
. "$SOURCE_DIR/tests/e2e/lib.sh"

# expect_array FILE ARRAY TEXT: its rows.
expect_array() { expect_same "$("$ARRAYS" print "$1" "$2")" "$3"; }

# --- CSV --------------------------------------------------------------------------------------------------------

cat >flowers.csv <<'EOF'
length,width,species
5.1,3.5,setosa
7.0,3.2,versicolor
6.3,3.3,virginica
4.9,3.0,setosa
EOF
succeed "$RANKS" import csv flowers.csv --label=species --test_fraction=0 --output=flowers.h5
expect_same "$(cat "$out")" 'train_samples 4
test_samples 0
features 2
classes 3'
expect_array flowers.h5 x_train '5.0999999 3.5
7 3.20000005
6.30000019 3.29999995
4.9000001 3'
expect_array flowers.h5 y_train '0
1
2
0'
succeed 1 info flowers.h5
expect_text '0	setosa' '2	virginica'
gzip -k flowers.csv
succeed "$RANKS" import csv flowers.csv.gz --label=3 --test_fraction=0 --output=again.h5
cmp -s flowers.h5 again.h5 || fail 'the compressed table gives another file'

printf 'size,price\n1,10.5\n2,20.25\n3,31\n4,39.5\n' >homes.csv
succeed 1 import csv homes.csv --label=price --test_fraction=0.25 --seed=3 --output=folder/homes.h5
expect_same "$(cat "$out")" 'train_samples 3
test_samples 1
features 1'

# --- a whole way: table, data set, training ---------------------------------------------------------------------

succeed "$RANKS" import csv "$SOURCE_DIR/data/breast_cancer.csv" --label=diagnosis --output=cancer.h5
cmp -s cancer.h5 "$SOURCE_DIR/data/breast_cancer.h5" || fail 'not the data set that comes along'
succeed "$RANKS" train --data.file=cancer.h5 --data.scale=standardize_features --train.epochs=5 --run.directory=runs/c \
  --model.layers='dense 8 relu, dense 1 sigmoid' --optimizer.learning_rate=0.01
awk -v a="$(value test_accuracy)" 'BEGIN { exit !(a > 0.9) }' || fail 'nothing is learned'

# Whole numbers become classes; trained on as values they would be their places, which is told, but for two sides.
printf 'a,age\n1,20\n2,30\n3,60\n4,20\n' >ages.csv
printf 'a,sick\n1,no\n2,yes\n3,no\n4,yes\n' >sick.csv
line() { succeed 1 train --data.file="$1" --model.layers='dense 1' --train.epochs=1 --run.directory="runs/$2"; }
succeed 1 import csv ages.csv --label=age --test_fraction=0 --output=ages.h5
line ages.h5 places
expect_text "numbers of classes ('20' is 0, '60' is 2)" 'mean_squared_error takes them for values' --kind=regression
succeed 1 import csv ages.csv --label=age --test_fraction=0 --kind=regression --output=ages.h5
line ages.h5 values
expect_no_text 'numbers of classes'
succeed 1 import csv sick.csv --label=sick --test_fraction=0 --output=sick.h5
line sick.h5 sides
expect_no_text 'numbers of classes'

# --- what is refused, and leaves the output as it was -----------------------------------------------------------

before=$(fingerprint .)
printf 'a,b,y\n1,2,0\n3,4\n' >short.csv
refuse 65 short.csv:3: '2 fields, expected 3' -- import csv short.csv --label=y --output=flowers.h5
printf 'a,b,y\n1,x,0\n3,4,1\n' >text.csv
refuse 65 text.csv:2: "column 'b'" "'x'" -- import csv text.csv --label=y --output=flowers.h5
refuse 64 flowers.csv "'speceis'" "did you mean species?" -- import csv flowers.csv --label=speceis --output=flowers.h5
refuse 66 missing.csv -- import csv missing.csv --label=y --output=flowers.h5
refuse 73 flowers.csv -- import csv flowers.csv --label=species --output=flowers.csv/out.h5
rm short.csv text.csv
expect_same "$(fingerprint .)" "$before"

[ "$RANKS" -eq 1 ] || exit 0

# --- CSV: names or a row in the first line -----------------------------------------------------------------------

printf '5.1,3.5,setosa\n4.9,3.0,setosa\n7.0,3.2,versicolor\n' >rows.csv
refuse 65 rows.csv:1 --header=no --header=yes -- import csv rows.csv --label=3 --output=rows.h5
succeed 1 import csv rows.csv --label=3 --header=no --test_fraction=0 --output=rows.h5
expect_text 'train_samples 3'
printf '8,9,a\n4,2,b\n7,1,a\n' >whole.csv
refuse 65 whole.csv:3 "'a'" --header=no -- import csv whole.csv --label=3 --output=rows.h5
# So do marks of missing values.
for mark in '-' None NA; do
  printf '8,%s,a\n4,2,b\n7,1,a\n' "$mark" >marks.csv
  refuse 65 marks.csv:3 "'a'" --header=no -- import csv marks.csv --label=3 --output=rows.h5
  printf '8,%s,1.5\n4,2,2.5\n7,1,3.5\n' "$mark" >marks.csv
  refuse 65 marks.csv:1 'column 3 is 1.5' --header=no -- import csv marks.csv --label=3 --output=rows.h5
done
printf '0,1,label\n5,3,a\n4,2,b\n' >pandas.csv
succeed 1 import csv pandas.csv --label=label --test_fraction=0 --output=pandas.h5
expect_text 'train_samples 2'
printf '0,1,2\n5,3,1\n4,2,0\n' >numbers.csv
refuse 65 numbers.csv --header=yes -- import csv numbers.csv --label=2 --output=numbers.h5
succeed 1 import csv numbers.csv --label=2 --header=yes --test_fraction=0 --output=numbers.h5
expect_text 'train_samples 2'
refuse 64 "'maybe' is not a value of --header" -- import csv numbers.csv --label=2 --header=maybe --output=numbers.h5

# --- IDX --------------------------------------------------------------------------------------------------------

# Three images of 2 x 2, as the format has it: two zeros, the type (8: bytes), the dimensions, each in four bytes.
printf '\0\0\010\003\0\0\0\003\0\0\0\002\0\0\0\002\001\002\003\004\005\006\007\010\011\012\013\377' >x.idx
printf '\0\0\010\001\0\0\0\003\001\000\001' >y.idx
succeed 1 import idx --x_train=x.idx --y_train=y.idx --output=idx.h5
expect_array idx.h5 x_train '1 2 3 4
5 6 7 8
9 10 11 255'
expect_array idx.h5 y_train '1
0
1'
gzip -k x.idx y.idx
succeed 1 import idx --x_train=x.idx.gz --y_train=y.idx.gz --x_test=x.idx --y_test=y.idx --output=idx2.h5
expect_text 'test_samples 3'
expect_array idx2.h5 x_train "$("$ARRAYS" print idx.h5 x_train)"
head -c 20 x.idx >cut.idx
refuse 65 cut.idx -- import idx --x_train=cut.idx --y_train=y.idx --output=idx.h5
refuse 65 x.idx '3 dimensions' swapped -- import idx --x_train=x.idx --y_train=x.idx --output=idx.h5
head -c 30 x.idx.gz >cut.gz
refuse 65 cut.gz -- import idx --x_train=cut.gz --y_train=y.idx --output=idx.h5

# --- NumPy ------------------------------------------------------------------------------------------------------

# npy FILE DESCR ORDER SHAPE ITEMS [VERSION]: the format's own words, and the numbers as octal escapes.
npy() {
  header="{'descr': $2, 'fortran_order': $3, 'shape': $4, }"
  length=$(printf '\\%03o\\0' ${#header})
  [ "${6:-1}" -eq 1 ] || length="$length\\0\\0"
  printf "\\223NUMPY\\00${6:-1}\\0$length%s$5" "$header" >"$1"
}
npy x.npy "'<i2'" False '(2, 3)' '\001\0\002\0\003\0\377\377\005\0\0\001'
npy y.npy "'<i8'" False '(2,)' '\002\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
succeed 1 import npy --x_train=x.npy --y_train=y.npy --output=npy.h5
expect_same "$(cat "$out")" 'train_samples 2
test_samples 0
features 3
classes 3'
expect_array npy.h5 x_train '1 2 3
-1 5 256'
expect_array npy.h5 y_train '2
0'
# The same numbers in the other order of dimensions, the other order of bytes, and the other versions.
npy f.npy "'>i2'" True '(2, 3)' '\0\001\377\377\0\002\0\005\0\003\001\0' 2
gzip -k f.npy
npy y3.npy "'>u8'" False '(2, 1)' '\0\0\0\0\0\0\0\002\0\0\0\0\0\0\0\0' 3
succeed 1 import npy --x_train=f.npy --y_train=y3.npy --x_test=f.npy.gz --y_test=y.npy --x_val=x.npy --y_val=y.npy \
  --output=npy2.h5
expect_text 'test_samples 2' 'validation_samples 2'
for array in x_train x_test x_val; do expect_array npy2.h5 "$array" "$("$ARRAYS" print npy.h5 x_train)"; done
for array in y_train y_test y_val; do expect_array npy2.h5 "$array" "$("$ARRAYS" print npy.h5 y_train)"; done
# Three dimensions in Fortran's order: a[i, j, k] = 6 i + 3 j + k.
npy c3.npy "'|u1'" False '(2, 2, 3)' '\0\001\002\003\004\005\006\007\010\011\012\013'
npy f3.npy "'|u1'" True '(2, 2, 3)' '\0\006\003\011\001\007\004\012\002\010\005\013'
succeed 1 import npy --x_train=c3.npy --y_train=y.npy --x_test=f3.npy --y_test=y.npy --output=npy3.h5
expect_array npy3.h5 x_train '0 1 2 3 4 5
6 7 8 9 10 11'
expect_array npy3.h5 x_test "$("$ARRAYS" print npy3.h5 x_train)"
# The other types: each row has the numbers 0, 1 and the end of the range, or -2, for float16 also the smallest one.
npy one.npy "'|b1'" False '(1,)' '\001'
# row NAME DESCR ITEMS; three rows are imported at once.
row() { npy "$1.npy" "$2" False '(1, 3)' "$3"; }
import_rows() {
  succeed 1 import npy --x_train=a.npy --y_train=one.npy --x_test=b.npy --y_test=one.npy --x_val=c.npy --y_val=one.npy \
    --output=rows.h5
  expect_array rows.h5 x_train "$1"
  expect_array rows.h5 x_test "$2"
  expect_array rows.h5 x_val "$3"
}
row a "'|b1'" '\0\001\001'
row b "'|i1'" '\0\001\376'
row c "'|u1'" '\0\001\377'
import_rows '0 1 1' '0 1 -2' '0 1 255'
row a "'<u2'" '\0\0\001\0\377\377'
row b "'>i4'" '\0\0\0\0\0\0\0\001\377\377\377\376'
row c "'<u4'" '\0\0\0\0\001\0\0\0\377\377\377\377'
import_rows '0 1 65535' '0 1 -2' '0 1 4.2949673e+09'
row a "'>i8'" '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\001\377\377\377\377\377\377\377\376'
row b "'<f2'" '\001\0\0\074\0\300'
row c "'>f4'" '\0\0\0\0\077\200\0\0\300\0\0\0'
import_rows '0 1 -2' '5.96046448e-08 1 -2' '0 1 -2'
row a "'<f8'" '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\360\077\0\0\0\0\0\0\0\300'
row b "'>u2'" '\0\0\0\001\001\002'
row c "'<i4'" '\0\0\0\0\001\0\0\0\376\377\377\377'
import_rows '0 1 -2' '0 1 258' '0 1 -2'

# refuse_npy FILE TEXT...: as the samples of two rows.
refuse_npy() {
  file=$1
  shift
  refuse 65 "$file" "$@" -- import npy --x_train="$file" --y_train=y.npy --output=npy.h5
}
before=$(fingerprint npy.h5)
refuse_npy x.idx 'not a .npy file' numpy.save
refuse_npy /dev/null 'not a .npy file'
printf 'PK\003\004' >x.npz
refuse_npy x.npz .npz numpy.save
npy bad.npy "'|O'" False '(2, 3)' ''
refuse_npy bad.npy objects astype
npy bad.npy "'<U3'" False '(2,)' ''
refuse_npy bad.npy texts numpy.unique
npy bad.npy "'<f4'" False '(2, 1)' '\0\0\200\077\0\0\300\177'
refuse_npy bad.npy 'row 1, column 0' nan finite
npy bad.npy "'<f8'" True '(2, 1000000)' ''
refuse_npy bad.npy truncated
npy bad.npy "[('a', '<f4')]" False '(2, 3)' ''
refuse_npy bad.npy records
npy bad.npy "'<c8'" False '(2, 3)' ''
refuse_npy bad.npy "'<c8'" float16 astype
npy bad.npy "'<f4'" False '(2, 3)' '' 4
refuse_npy bad.npy 'version 4.0'
npy bad.npy "'<f4'" Maybe '(2, 3)' ''
refuse_npy bad.npy fortran_order Maybe
npy bad.npy "'<f4'" False '(2, x)' ''
refuse_npy bad.npy '(2, x)'
npy bad.npy "'|u1'" False '(2, 0)' ''
refuse_npy bad.npy 'dimension 2 of 2 is 0'
npy bad.npy "'|u1'" False '(2, 1, 1, 1, 1, 1, 1, 1, 1)' ''
refuse_npy bad.npy '9 dimensions'
npy bad.npy "'|u1'" False '()' ''
refuse_npy bad.npy '0 dimensions'
npy bad.npy "'|u1'" False '(3, 1)' '\0\0\0'
refuse_npy bad.npy '3 samples' 'y.npy has 2 labels'
npy bad.npy "'|u1'" True '(2, 3)' '\0\0\0\0\0\0\0'
refuse_npy bad.npy 'continues after'
npy bad.npy "'<u8'" False '(2, 1)' '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\200'
refuse_npy bad.npy 'row 1' 9223372036854775808 float64
refuse_npy y.npy '1 dimensions' swapped
size=$(wc -c <x.npy)
for length in 7 9 40 $((size - 1)); do
  head -c "$length" x.npy >cut.npy
  refuse_npy cut.npy
done
expect_text 'inside its numbers' truncated
refuse 64 x_val y_val -- import npy --x_train=x.npy --y_train=y.npy --x_val=x.npy --output=npy.h5
expect_same "$(fingerprint npy.h5)" "$before"

# --- svmlight ---------------------------------------------------------------------------------------------------

printf '+1 1:0.5 3:2 # a comment\n-1 2:1\n' >train.svm
printf '+1 4:7\n' >test.svm
succeed 1 import svmlight train.svm test.svm --output=svm.h5
expect_array svm.h5 x_train '0.5 0 2 0
0 1 0 0'
expect_array svm.h5 x_test '0 0 0 7'
expect_array svm.h5 y_train '1
0'
expect_text 'index_base 1'
# Labels that float32 would make equal.
printf 'a,y\n1,1600000001.5\n2,1600000002.5\n3,1600000003.5\n' >far.csv
succeed 1 import csv far.csv --label=y --test_fraction=0 --output=far.h5
expect_count 1 'tutti: warning: far.csv.*: the labels are trained on as float32'
sed 's/16000000//' far.csv >near.csv
succeed 1 import csv near.csv --label=y --test_fraction=0 --output=near.h5
expect_no_text warning
succeed 1 import svmlight test.svm train.svm --index_base=0 --features=6 --kind=regression --output=wide.h5
expect_text 'index_base 0' 'features 6'
expect_array wide.h5 x_train '0 0 0 0 7 0'
refuse 64 "'2' is not a value of --index_base" -- import svmlight train.svm --index_base=2 --output=svm.h5
refuse 64 --features=0 -- import svmlight train.svm --features=0 --output=svm.h5
printf '+1 1:0.5 x:2\n' >bad.svm
refuse 65 bad.svm:1: "'x'" -- import svmlight bad.svm --output=svm.h5
expect_array svm.h5 x_test '0 0 0 7'
