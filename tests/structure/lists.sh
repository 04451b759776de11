#!/bin/sh
# The reference lists the update rules as rules.def does, and has each layer of layers.def.
# usage: lists.sh TOP
set -u
failed=0
words() { sed -n 's/^X([A-Z0-9_]*, \([a-z0-9_]*\))$/\1/p' "$1"; }

rules=$(words "$1/include/tutti/rules.def" | tr '\n' ' ' | sed 's/ $//')
grep -q -F "\`$rules\`" "$1/docs/reference.md" || {
  echo "docs/reference.md: the list of optimizers is another than that of include/tutti/rules.def: $rules"
  failed=1
}
for layer in $(words "$1/include/tutti/layers.def"); do
  grep -q "^| .*\`$layer[\` ]" "$1/docs/reference.md" || {
    echo "docs/reference.md: the table of layers has no '$layer', which include/tutti/layers.def has"
    failed=1
  }
done
exit $failed
