#!/bin/sh
# usage: rules.sh TREE -- the rules of rules.awk over the sources of a tree
set -eu
rules=$(cd "$(dirname "$0")" && pwd)/rules.awk
cd "$1"
find include/tutti src -name '*.[ch]' | LC_ALL=C sort | xargs awk -f "$rules"
