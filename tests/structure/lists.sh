#!/bin/sh
# README lists the update rules as rules.def does.
# usage: lists.sh TOP
set -u
list=$(sed -n 's/^X([A-Z0-9_]*, \([a-z0-9_]*\))$/\1/p' "$1/include/tutti/rules.def" | tr '\n' ' ' | sed 's/ $//')
grep -q -F "\`$list\`" "$1/README.md" || {
  echo "README.md: the list of optimizers is another than that of include/tutti/rules.def: $list"
  exit 1
}
