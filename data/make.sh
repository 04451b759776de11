#!/bin/sh
# usage: make.sh MNIST_FOLDER SKLEARN_DATA_FOLDER [TUTTI]
#
# Makes the files of this folder again, byte for byte with the same versions of HDF5 and zlib:
#   mnist.h5                               from the four original IDX files, plain or gzip
#   digits.h5                              from digits.csv.gz
#   breast_cancer.csv, breast_cancer.h5    from breast_cancer.csv
#   diabetes.csv, diabetes.h5              from diabetes_data_raw.csv.gz and diabetes_target.csv.gz
# MNIST_FOLDER holds train-images-idx3-ubyte[.gz] and so on; SKLEARN_DATA_FOLDER is sklearn/datasets/data of an installed
# scikit-learn (1.1 or newer; Debian's python3-sklearn has it below /usr/lib/python3/dist-packages).
set -eu

if [ $# -lt 2 ]; then
  sed -n '2,3s/^# //p' "$0" >&2
  exit 64
fi
mnist=$1
sklearn=$2
tutti=${3:-tutti}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

idx() { # NAME: the file, packed or not
  if [ -e "$mnist/$1" ]; then echo "$mnist/$1"; else echo "$mnist/$1.gz"; fi
}
"$tutti" import idx --x_train="$(idx train-images-idx3-ubyte)" --y_train="$(idx train-labels-idx1-ubyte)" \
  --x_test="$(idx t10k-images-idx3-ubyte)" --y_test="$(idx t10k-labels-idx1-ubyte)" --output="$here/mnist.h5"

# 64 pixels from 0 to 16, row by row, and the digit.
{
  awk 'BEGIN { for (i = 0; i < 64; i++) printf "pixel_%d_%d,", i / 8, i % 8; print "digit" }'
  gzip -dc "$sklearn/digits.csv.gz"
} >"$work/digits.csv"
"$tutti" import csv "$work/digits.csv" --label=digit --bytes=yes --test_fraction=0.2 --seed=0 --output="$here/digits.h5"

# The first line holds counts and the names of the classes, in order of id; the label is the last column.
awk -F, '
  NR == 1 {
    class[0] = $3; class[1] = $4
    n = split("radius,texture,perimeter,area,smoothness,compactness,concavity,concave_points,symmetry,fractal_dimension", what, ",")
    split("mean_%s,%s_error,worst_%s,", kind, ",")
    for (k = 1; k <= 3; k++) for (i = 1; i <= n; i++) printf kind[k] ",", what[i]
    print "diagnosis"
    next
  }
  { sub(/,[01]$/, "," class[$NF]); print }
' "$sklearn/breast_cancer.csv" >"$here/breast_cancer.csv"
"$tutti" import csv "$here/breast_cancer.csv" --label=diagnosis --test_fraction=0.2 --seed=0 --output="$here/breast_cancer.h5"

# Ten measurements in their own units, and the target beside them.
gzip -dc "$sklearn/diabetes_target.csv.gz" >"$work/target"
{
  echo age,sex,bmi,bp,s1,s2,s3,s4,s5,s6,target
  gzip -dc "$sklearn/diabetes_data_raw.csv.gz" | awk -v target="$work/target" '{
    gsub(/[ \t]+/, ",")
    if ((getline number < target) <= 0) exit 1
    printf "%s,%d\n", $0, number
  }'
} >"$here/diabetes.csv"
"$tutti" import csv "$here/diabetes.csv" --label=target --test_fraction=0.2 --seed=0 --output="$here/diabetes.h5"
