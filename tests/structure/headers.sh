#!/bin/sh
# usage: headers.sh TREE COMPILER [FLAG ...] -- each header compiles alone, and twice; the public ones without src
set -eu
cd "$1"
shift
failures=0

check() { # HEADER FLAG ...
  header=$1
  shift
  printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$header" "$header" |
    "$@" -x c -std=c11 -fsyntax-only -Wall -Wextra -Wpedantic -Werror - || {
    echo "$header does not compile alone"
    failures=$((failures + 1))
  }
}

for header in $(find include/tutti -name '*.h' | sed 's,^include/,,'); do
  check "$header" "$1" -I include # no other flag: what a program that uses the library has
done
for header in $(find src -name '*.h' | sed 's,^src/,,'); do
  check "$header" "$@" -I include -I src
done
[ "$failures" -eq 0 ]
