#!/bin/sh
# Each table of an update rule or layer is in rules.def or layers.def, with a sentence, and the reference leads there.  Each format of formats.def is
# imported by a test, and each file of a format is in the list.  So is each file of a command, which README mentions.
# tools/export_study lists the whole numbers of keys.c.  The reference mentions each loss of losses.def.
# usage: lists.sh TOP
set -u
top=$1 failed=0
# words LIST: its words, in order.
words() { sed -n 's/^[A-Z_]*([A-Z0-9_]*, \([a-z0-9_]*\)[,)].*/\1/p' "$1"; }

# check_tables LIST PATTERN FILE...: each line of LIST has a sentence, each table that PATTERN finds in the files is in LIST, and
# the reference leads to LIST.
check_tables() {
  list=include/tutti/$1 pattern=$2
  shift 2
  grep '^X(' "$top/$list" | grep -v '^X([A-Z0-9_]*, [a-z0-9_]*, "[^"]*\.")$' && {
    echo "$list: expected lines X(CODE, word, \"A sentence.\")"
    failed=1
  }
  listed=$(words "$top/$list")
  for word in $(sed -n "s/.*$pattern.*/\1/p" "$@"); do
    case " $(echo $listed) " in *" $word "*) continue ;; esac
    echo "$list: there is a table of '$word', but it is not in the list"
    failed=1
  done
  grep -q -F "(../$list)" "$top/docs/reference.md" || {
    echo "docs/reference.md: has no link to $list"
    failed=1
  }
}
check_tables rules.def 'tutti_optim_table tutti_optim_\([a-z0-9_]*\) = ' "$top"/src/optim/*.c
check_tables layers.def 'tutti_layer_\([a-z0-9_]*\)_ops = ' "$top"/src/model/*.c
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

for file in "$1"/src/cli/cmd_*.c; do
  command=$(basename "$file" .c)
  command=${command#cmd_}
  words "$1/src/cli/commands.def" | grep -q -x "$command" || {
    echo "src/cli/commands.def: has no $command, though there is src/cli/cmd_$command.c"
    failed=1
  }
  grep -q "tutti $command" "$1/README.md" || {
    echo "README.md: does not mention tutti $command"
    failed=1
  }
done

for loss in $(words "$top/include/tutti/losses.def"); do
  grep -q -F "\`$loss\`" "$top/docs/reference.md" || {
    echo "docs/reference.md: does not mention the loss '$loss', which include/tutti/losses.def has"
    failed=1
  }
done
exit $failed
