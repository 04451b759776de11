# The table of tools/rooms.  Reads first the names of files that are in a circle ("circle ROOM/FILE"), then which room a
# header of include/tutti belongs to ("owner HEADER ROOM"), both from the standard input, then the sources.

function room_of(path,    parts, name) {
  split(path, parts, "/")
  if (parts[1] == "src") return parts[2]
  name = parts[3]
  if (name in owner) return owner[name]
  sub(/\.h$/, "", name)
  return name in owner ? owner[name] : name
}

function add(room, what, n) {
  count[room, what] += n
  count["all", what] += n
}

function end_of_file() {
  if (n_lines > count[room, "largest"]) {
    count[room, "largest"] = n_lines
    largest[room] = base
  }
  if (n_lines > count["all", "largest"]) {
    count["all", "largest"] = n_lines
    largest["all"] = room "/" base
  }
}

function end_of_function(n) {
  add(room, "functions", 1)
  n_of_length[room, n]++
  n_of_length["all", n]++
  if (n > longest[room]) longest[room] = n
  if (n > longest["all"]) longest["all"] = n
}

# The length that a share of the functions of a room does not exceed.
function length_at(room, share,    n, seen) {
  for (n = 0; n <= longest[room]; n++) {
    seen += n_of_length[room, n]
    if (seen > 0 && seen >= share * count[room, "functions"]) return n
  }
  return 0
}

FILENAME == "-" || FILENAME == "" {
  if ($1 == "circle") {
    sub(/\/.*/, "", $2)
    add($2, "circles", 1)
  } else if ($1 == "owner") owner[$2] = $3
  next
}

FNR == 1 {
  if (n_lines > 0) end_of_file()
  n_lines = 0
  start = inside = in_comment = 0
  room = room_of(FILENAME)
  base = FILENAME
  sub(/.*\//, "", base)
  if (!(room in seen)) {
    seen[room]
    rooms[++n_rooms] = room
  }
  add(room, "files", 1)
  is_c = base ~ /\.c$/
  if (!is_c) add(room, FILENAME ~ /^include/ ? "public" : base ~ /_impl\.h$/ ? "impl" : "shared", 1)
}

{
  n_lines++
  add(room, "lines", 1)
}

is_c {
  add(room, "lines of .c", 1)
  if (in_comment || /^ *\/[\/*]/ || / \/\/ /) add(room, "comments", 1)
  if (/\/\*/) in_comment = 1
  if (/\*\//) in_comment = 0
  if (inside) {
    if (/^}/) {
      end_of_function(FNR - start + 1)
      inside = start = 0
    }
  } else if (/^[A-Za-z_]/ && !/^(typedef|struct|enum|union|extern)[^(]*$/) start = FNR
  if (!inside && start && /\) \{$/ && !/ = /) inside = 1
  else if (!inside && (/;$/ || /^$/)) start = 0
}

function row(room,    c, share) {
  c = count[room, "lines of .c"]
  share = c ? 100 * count[room, "comments"] / c : 0
  printf "%-11s %5d %6d   %-30s %5d %4d %4d %4d %6.1f%%   %3d %3d %3d %7d\n", room, count[room, "files"], count[room, "lines"],
    count[room, "largest"] " " largest[room], count[room, "functions"], length_at(room, 0.5), length_at(room, 0.9),
    longest[room], share, count[room, "public"], count[room, "shared"], count[room, "impl"], count[room, "circles"]
}

END {
  end_of_file()
  print "                            largest                                   length              headers           files"
  print "room        files  lines   file                            func.  med  p90  max comments  pub room own in circles"
  for (i = 1; i <= n_rooms; i++) row(rooms[i])
  row("all")
}
