#!/bin/sh
# circles.awk on the output of an nm that is played: it names each file of a circle, and passes if there is none.
# usage: circles_bite.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# Files a and b of room x, and c of room y; the first argument is what c calls.
played() {
  o=build/src/x/CMakeFiles/x.dir
  printf '%s\n' "$o/a.c.o: one T 0 0" "$o/a.c.o: two U" "$o/b.c.o: two i 0 0" "$o/b.c.o: three U" "$o/b.c.o: malloc U" \
    "build/src/y/CMakeFiles/y.dir/c.c.o: three D 0 0" "build/src/y/CMakeFiles/y.dir/c.c.o: $1 U"
}

played malloc | awk -f "$here/circles.awk" || {
  echo "no circle, but one was found"
  exit 1
}
if printed=$(played one | awk -f "$here/circles.awk"); then
  echo "a circle was not found"
  exit 1
fi
case $printed in
  'a circle of 3 files:'*'x/a calls two of x/b'*) ;;
  *)
    echo "the circle is not named: $printed"
    exit 1
    ;;
esac
if awk -f "$here/circles.awk" </dev/null >/dev/null; then
  echo "nothing was read, and this passed"
  exit 1
fi
