#!/bin/sh
# The reference lists the update rules as rules.def does, and has each layer of layers.def.  Each format of formats.def is
# imported by a test, and each file of a format is in the list.  tools/export_study lists the whole numbers of keys.c.
# usage: lists.sh TOP
set -u
failed=0
# words LIST: its words, in order.
words() { sed -n 's/^X([A-Z0-9_]*, \([a-z0-9_]*\)[,)].*/\1/p' "$1"; }

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
formats=$(words "$1/include/tutti/formats.def")
for format in $formats; do
  grep -q "^succeed .* import $format " "$1/tests/e2e/import.sh" || {
    echo "tests/e2e/import.sh: imports no file of the format '$format', which include/tutti/formats.def has"
    failed=1
  }
done
for file in "$1"/src/data/import_*.c; do
  format=${file##*/import_}
  case " $(echo $formats) " in *" ${format%.c} "*) continue ;; esac
  echo "$file: include/tutti/formats.def has no format '${format%.c}'"
  failed=1
done

# The export knows which keys that a study can vary are whole numbers; the batch size is no parameter there.
whole=$(sed -n 's/^ *{WHOLE(\([a-z]*\), \([a-z_]*\), .*, TRAINING,.*/\1.\2/p' "$1/src/config/keys.c" | grep -v '^data\.\|^train\.batch_size$' |
  sort | sed 's/.*/"&"/' | tr '\n' ' ' | sed 's/ $//; s/ /, /g')
grep -q -F "WHOLE = [$whole]" "$1/tools/export_study" || {
  echo "tools/export_study: WHOLE is another list than that of src/config/keys.c: $whole"
  failed=1
}
exit $failed
