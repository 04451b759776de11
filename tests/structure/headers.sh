#!/bin/sh
# usage: headers.sh TREE COMPILER [FLAG ...] -- each header compiles alone, and twice
set -eu
cd "$1"
shift
failures=0
for header in $(find include/tutti -name '*.h' | sed 's,^include/,,' && find src -name '*.h' | sed 's,^src/,,'); do
  printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$header" "$header" |
    "$@" -x c -std=c11 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -I include -I src - || {
    echo "$header does not compile alone"
    failures=$((failures + 1))
  }
done
[ "$failures" -eq 0 ]
