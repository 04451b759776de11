#!/bin/sh
# usage: circles.sh TREE BUILD NM -- no file of src calls a file that calls it back, directly or through others
set -eu
here=$(cd "$(dirname "$0")" && pwd)
find "$2/src" -name '*.c.o' | LC_ALL=C sort | while read -r object; do
  # A build folder keeps the object files of sources that have moved.
  source=$(printf '%s\n' "${object#"$2/"}" | sed 's,/CMakeFiles/[^/]*/,/,; s,\.o$,,')
  [ ! -e "$1/$source" ] || printf '%s\n' "$object"
done | xargs "$3" -A -P -g | LC_ALL=C awk -f "$here/circles.awk"
