# The rules between the rooms, on the text of include/tutti/*.h and src/*/*.[ch], whose paths are given from the
# top of the tree.  Prints each line that breaks one, with what to do; exit status 1 where there is any.
BEGIN {
  # A room includes rooms of lower levels only; rooms of one level do not see each other.
  n = split("base;par;io linalg;machine data sampler model optim metrics checkpoint;config;run space fit;measure;rundir;train;curvature study bench;cli", levels, ";")
  for (i = 1; i <= n; i++) {
    m = split(levels[i], rooms, " ")
    for (j = 1; j <= m; j++) level[rooms[j]] = i
  }
  # Public headers that are not named for their room.
  owner["count"] = owner["slice"] = owner["texts"] = "base"
  owner["rules.def"] = owner["optim_options.def"] = owner["schedule"] = "optim"
  owner["layers.def"] = "model"
  owner["formats.def"] = "data"
  owner["activations.def"] = owner["losses.def"] = "linalg"
  # Serial code, tested without MPI.
  serial["sampler"] = serial["model"] = serial["optim"] = serial["space"] = serial["fit"] = 1
  # One foreign library, one room; MPI starts and ends in cli.
  home["mpi"] = "par cli"
  home["hdf5"] = "io"
  home["cblas"] = "linalg"
  home["omp"] = "linalg"
  home["yaml"] = "config"
  home["zlib"] = "data"
  home["Random123"] = "base"
  home["xxhash"] = "base"
}

function broken(what) {
  printf "%s:%d: %s\n", FILENAME, FNR, what
  n_broken++
}

function is_among(word, words) { return index(" " words " ", " " word " ") > 0 }

function library_of(header) {
  if (header ~ /^mpi(-ext)?\.h$/) return "mpi"
  if (header ~ /^(hdf5|H5.*)\.h$/) return "hdf5"
  if (header ~ /^(cblas|mkl.*|openblas.*|f77blas)\.h$/) return "cblas"
  if (header ~ /^omp\.h$/) return "omp"
  if (header ~ /^yaml\.h$/) return "yaml"
  if (header ~ /^z(lib|conf)\.h$/) return "zlib"
  if (header ~ /^Random123\//) return "Random123"
  if (header ~ /^xxh.*\.h$/) return "xxhash"
  return ""
}

function check_foreign(header,    library) {
  library = library_of(header)
  if (library == "") return
  if (public) broken(header ": a public header must compile without " library)
  else if (!is_among(room, home[library])) broken(header ": only " home[library] " may include it")
}

function check_own(header,    target, file) {
  if (header !~ /\//) {
    broken(header ": say the room, as in \"" room "/" header "\"")
    return
  }
  target = file = header
  sub(/\/.*/, "", target)
  sub(/.*\//, "", file)
  if (target == "tutti") {
    target = file
    sub(/\.h$/, "", target)
    if (target in owner) target = owner[target]
  } else if (public) broken(header ": a public header includes none of src, where a program cannot find it")
  if (target != room) included[header] # by another room
  if (!(target in level)) broken(header ": there is no room " target)
  else if (target == room) return
  else if (level[target] >= level[room]) broken(header ": " room " does not see " target ", includes point down only")
  else if (target == "par" && room in serial) broken(header ": " room " is serial code, without par")
  else if (file ~ /_impl\.h$/) broken(header ": private to " target)
}

# Only cli ends the program and writes results; base has the log and the assertion.
function check_code(code) {
  if (code ~ /(^|[^A-Za-z0-9_])(exit|_exit|_Exit|quick_exit|abort|MPI_Abort)[ \t]*\(/ && FILENAME != "src/base/assert.c")
    broken("return a tutti_status instead: only cli ends the program")
  if (code ~ /(^|[^A-Za-z0-9_])(printf|puts|putchar|vprintf|perror)[ \t]*\(|(^|[^A-Za-z0-9_])stdout([^A-Za-z0-9_]|$)/)
    broken("only cli writes to stdout")
  if (code ~ /(^|[^A-Za-z0-9_])stderr([^A-Za-z0-9_]|$)/ && FILENAME !~ /^src\/base\/(log|assert)\.c$/)
    broken("use tutti_log: only the log writes to stderr")
}

FNR == 1 {
  split(FILENAME, parts, "/")
  public = parts[1] == "include"
  room = public ? parts[3] : parts[2]
  sub(/\.h$/, "", room)
  if (public && room in owner) room = owner[room]
  in_comment = 0
  if (!(room in level)) broken("there is no room " room)
  if (!public && FILENAME ~ /\.c$/ && !/^\/[\/*]/)
    broken("open with a comment: what the file does, the idea or the formula, who calls it")
  if (!public && FILENAME ~ /\.h$/ && FILENAME !~ /_impl\.h$/) for_others[substr(FILENAME, 5)]
}

/^[ \t]*#[ \t]*include[ \t]*</ { header = $0; sub(/^[^<]*</, "", header); sub(/>.*/, "", header); check_foreign(header); next }
/^[ \t]*#[ \t]*include[ \t]*"/ { header = $0; sub(/^[^"]*"/, "", header); sub(/".*/, "", header); check_own(header); next }

room != "cli" {
  code = $0
  gsub(/\\./, "", code)
  gsub(/"[^"]*"/, "\"\"", code)
  if (in_comment) {
    if (code !~ /\*\//) next
    sub(/^.*\*\//, "", code)
    in_comment = 0
  }
  gsub(/\/\*([^*]|\*[^\/])*\*\//, "", code)
  sub(/\/\/.*/, "", code)
  if (code ~ /\/\*/) {
    sub(/\/\*.*/, "", code)
    in_comment = 1
  }
  check_code(code)
}

END {
  for (header in for_others)
    if (!(header in included)) {
      printf "src/%s:1: no other room includes it, so its name ends in _impl.h\n", header
      n_broken++
    }
  exit n_broken > 0
}
