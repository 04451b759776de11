#!/bin/sh
# usage: names.sh TREE BUILD NM -- each exported name begins with a noun of its room, see the table in src/README.md
set -eu
nouns=$(awk -F '|' '/^\| `[a-z]+` \|/ && NF == 6 { gsub(/[`,]/, "", $2); gsub(/[`,]/, "", $4); print $2 $4 ";" }' "$1/src/README.md" |
  tr '\n' ' ')
sh "$(dirname "$0")/objects.sh" "$1" "$2" | xargs "$3" -A -P -g --defined-only | sed 's,^.*/\(src/[a-z]*/\)CMakeFiles/[^/]*/\([^:]*\)\.o: ,\1\2 ,' | awk -v nouns="$nouns" '
  BEGIN {
    n = split(nouns, rooms, ";")
    for (i = 1; i <= n; i++) {
      m = split(rooms[i], words, " ")
      for (j = 1; j <= m; j++) allowed[words[1], words[j]] = 1
      if (words[2] == "any") free[words[1]] = 1
    }
  }
  $2 ~ /^tutti_/ && $2 !~ /[.]/ {
    split($1, path, "/")
    room = path[2]
    seen[room] = 1
    if (room in free) next
    split($2, words, "_")
    if (!((room, words[2]) in allowed)) {
      printf "%s: %s begins with no noun of the room %s, see the table in src/README.md\n", $1, $2, room
      broken++
    }
  }
  END {
    for (room in seen) n_seen++
    if (n_seen < 10) { print "only " n_seen + 0 " rooms were found"; broken++ }
    exit broken > 0
  }'
