# Which files of src call which, from the output of nm -A -P -g over the object files (path: symbol type value size).
# Prints each circle, the strongly connected components of more than one file, with the symbols that close it.
function file_of(path) {
  sub(/:$/, "", path)
  sub(/^.*\/src\//, "", path)
  sub(/CMakeFiles\/[^\/]*\//, "", path)
  sub(/\.c\.o(bj)?$/, "", path)
  return path
}

{
  file = file_of($1)
  files[file]
  if ($3 ~ /^[Uwv]$/) needs[file, ++n_needs[file]] = $2
  else home[$2] = file
}

# Tarjan, Depth-first search and linear graph algorithms, SIAM J. Comput. 1, 1972: a file is on the stack until all that
# it reaches are known, and low[] is the oldest file that it reaches.
function visit(file,    i, next_file, n) {
  index_of[file] = low[file] = ++n_visited
  stack[++depth] = file
  on_stack[file] = 1
  for (i = 1; i <= n_needs[file]; i++) {
    next_file = home[needs[file, i]]
    if (next_file == "" || next_file == file) continue
    if (!(next_file in index_of)) {
      visit(next_file)
      if (low[next_file] < low[file]) low[file] = low[next_file]
    } else if (on_stack[next_file] && index_of[next_file] < low[file]) low[file] = index_of[next_file]
  }
  if (low[file] < index_of[file]) return
  n = 0
  do {
    circle[++n] = stack[depth--]
    on_stack[circle[n]] = 0
  } while (circle[n] != file)
  if (n > 1) report(n)
}

function report(n,    i, j, members, names, file, to) {
  n_circles++
  for (i = n; i >= 1; i--) {
    members[circle[i]]
    names = names " " circle[i]
  }
  print "a circle of " n " files:" names
  for (i = n; i >= 1; i--) {
    file = circle[i]
    for (j = 1; j <= n_needs[file]; j++) {
      to = home[needs[file, j]]
      if (to in members && to != file) print "    " file " calls " needs[file, j] " of " to
    }
  }
}

END {
  for (file in files)
    if (!(file in index_of)) visit(file)
  if (NR == 0) print "no object file was read"
  exit n_circles > 0 || NR == 0
}
