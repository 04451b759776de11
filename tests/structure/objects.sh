#!/bin/sh
# usage: objects.sh TREE BUILD -- the object files of src, sorted
set -eu
find "$2/src" -name '*.c.o' | LC_ALL=C sort | while read -r object; do
  # A build folder keeps the object files of sources that have moved.
  source=$(printf '%s\n' "${object#"$2/"}" | sed 's,/CMakeFiles/[^/]*/,/,; s,\.o$,,')
  [ ! -e "$1/$source" ] || printf '%s\n' "$object"
done
