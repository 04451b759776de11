# Pages: what they link to is there, headings too, and so is every job and tool they name.
set -eu
cd "$1"
failed=0
complain() {
  echo "$*"
  failed=1
}

# The anchors of a page, as hosts make them of headings.
anchors() {
  sed -n 's/^##* //p' "$1" | tr 'A-Z' 'a-z' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

n=0
for page in README.md CONTRIBUTING.md CHANGELOG.md SECURITY.md docs/*.md src/README.md tests/*/README.md data/README.md; do
  for link in $(grep -o '](\([^):]*\))' "$page" | sed 's/^](//; s/)$//'); do
    n=$((n + 1))
    target=${link%%#*}
    file=${target:+$(dirname "$page")/$target}
    file=${file:-$page}
    if [ ! -e "$file" ]; then
      complain "$page: links to $link, which is not there"
    elif [ "$link" != "$target" ] && ! anchors "$file" | grep -qx -- "${link#*#}"; then
      complain "$page: links to $link, but $file has no such heading"
    fi
  done
  for name in $(grep -oE '\b(jobs|tools)/[A-Za-z0-9_-]+(\.[a-z]+)?' "$page" | sort -u); do
    [ -e "$name" ] || [ -e "src/$name" ] || complain "$page: names $name, which is not there"
  done
done
[ $n -gt 0 ] || complain "no link found: does this test still read the pages?"
exit $failed
