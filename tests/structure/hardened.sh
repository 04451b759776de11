# The program takes no library from the current folder, and a release is hardened.
# hardened.sh PROGRAM RELEASE; RELEASE is 1 for the flags that only a release has.
set -eu
program=$1 release=$2
command -v readelf >/dev/null || {
  echo "skipped: readelf is missing"
  exit 77
}
failed=0
complain() {
  echo "$program: $*"
  failed=1
}

# An empty element or a relative one is the current folder, or depends on it.
folders=$(readelf -d "$program" | sed -n 's/.*(R[UN]*PATH).*\[\(.*\)\].*/\1/p')
case "$folders:" in
:) ;; # there is none
:* | *::*) complain "looks for libraries in the current folder: '$folders'" ;;
esac
old_ifs=$IFS
IFS=:
for folder in $folders; do
  case $folder in
  /* | "\$ORIGIN"*) ;;
  *) complain "looks for libraries in '$folder', which depends on the current folder" ;;
  esac
done
IFS=$old_ifs

# has TEXT WHAT READELF-OPTION...
has() {
  text=$1 what=$2
  shift 2
  readelf -W "$@" "$program" | grep -q -e "$text" || complain "has no $what"
}
if [ "$release" -eq 1 ]; then
  has 'Type: *DYN' 'addresses that vary' -h
  has 'GNU_RELRO' 'read-only tables of the loader' -l
  has 'FLAGS.*NOW' 'symbols that are bound at the start' -d
  has '__stack_chk_fail' 'stack protector' --dyn-syms
  has '_chk@' 'checked functions of the C library' --dyn-syms
  # W and E together
  readelf -W -l "$program" | grep -q 'GNU_STACK.* RW ' || complain "has a stack that can be executed"
fi
exit $failed
