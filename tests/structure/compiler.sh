#!/bin/sh
# usage: compiler.sh TREE FOLDER CMAKE COMPILER -- what configuring says of a compiler that makes slower loops
set -eu
tree=$1 folder=$2 cmake=$3 compiler=$4
rm -rf "$folder"
mkdir -p "$folder"
printf '%s\n' 'cmake_minimum_required(VERSION 3.18)' 'project(slower C)' \
  "include($tree/tools/cmake/TuttiVectors.cmake)" >"$folder/CMakeLists.txt"

# said BUILD COMPILER: the line about slower loops, or nothing
said() {
  "$cmake" -S "$folder" -B "$folder/$1" -DCMAKE_C_COMPILER="$2" >"$folder/$1.log" 2>&1 || {
    cat "$folder/$1.log"
    exit 1
  }
  grep '^-- Slower than with GCC 12' "$folder/$1.log" || true
}

# The same compiler, that gives itself out as an old one and does not know the processors of today.
cat >"$folder/old" <<END
#!/bin/sh
for a; do
  case \$a in -march=x86-64-v*) echo "error: bad value" >&2 && exit 1 ;; esac
done
exec "$compiler" -U__GNUC__ -D__GNUC__=10 "\$@"
END
chmod +x "$folder/old"

line=$(said as_old "$folder/old")
if [ "$(uname -m)" = x86_64 ]; then
  for slower in 'GNU 10' 'small matrix products' 'activations, losses and updates'; do
    case $line in
      *"$slower"*) ;;
      *) echo "an old compiler: no '$slower' in '$line'" && exit 1 ;;
    esac
  done
fi

# Nothing is said of a compiler that can do all.
version=$("$compiler" -dumpversion)
if [ "${version%%.*}" -ge 12 ]; then
  line=$(said as_it_is "$compiler")
  [ -z "$line" ] || { echo "this compiler: $line" && exit 1; }
fi
