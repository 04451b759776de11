#!/bin/sh
# usage: circles.sh TREE BUILD NM -- no file of src calls a file that calls it back, directly or through others
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sh "$here/objects.sh" "$1" "$2" | xargs "$3" -A -P -g | LC_ALL=C awk -f "$here/circles.awk"
