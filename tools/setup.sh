# Set-up, configure, build and run tests: what tools/quickstart, tools/test and tools/check share.  A POSIX shell
# sources this file in the source folder.  A step that has nothing to do does nothing.

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$0: $*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

n_cores() { nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

# --- packages ---------------------------------------------------------------------------------------------------

package_manager() {
  for manager in apt-get dnf brew; do
    if have $manager; then
      echo $manager
      return
    fi
  done
  echo none
}

# The packages that the build and the tests need, by the manager's names.  If a manager lacks a package (Random123 with
# dnf and brew), CMake downloads a pinned release.
packages_of() {
  case $1 in
    apt-get)
      echo gcc libc6-dev make cmake libopenmpi-dev openmpi-bin libopenblas-dev libhdf5-dev zlib1g-dev libyaml-dev \
        librandom123-dev libxxhash-dev libcmocka-dev
      ;;
    dnf)
      echo gcc make cmake openmpi-devel openblas-devel hdf5-devel zlib-devel libyaml-devel xxhash-devel libcmocka-devel
      ;;
    brew) echo cmake open-mpi openblas hdf5 libyaml xxhash cmocka ;;
  esac
}

is_installed() { # MANAGER PACKAGE
  # A compiler or an MPI that the machine has from elsewhere counts as well.
  case $2 in
    gcc) have "${CC:-cc}" && return ;;
    make) { have make || have ninja; } && return ;;
    cmake) have cmake && return ;;
    libopenmpi-dev | openmpi-bin | openmpi-devel | open-mpi) have mpicc && have mpirun && return ;;
  esac
  case $1 in
    apt-get) [ "$(dpkg-query -W -f '${db:Status-Status}' "$2" 2>/dev/null)" = installed ] ;;
    dnf) rpm -q "$2" >/dev/null 2>&1 ;;
    brew) [ -n "$(brew list --versions "$2" 2>/dev/null)" ] ;;
  esac
}

missing_packages() { # MANAGER [PACKAGE...]
  manager=$1
  shift
  for package in $(packages_of "$manager") "$@"; do
    is_installed "$manager" "$package" || printf ' %s' "$package"
  done
}

# The packages that draw pictures.  Without them the tests of the pictures are skipped.
plot_packages() {
  case $(package_manager) in
    apt-get | dnf) echo python3-h5py python3-matplotlib ;;
  esac
}

# The emulator of a processor with narrower vectors.  Without it one test is skipped.
emulator_packages() {
  case $(package_manager)-$(uname -m) in
    apt-get-x86_64 | dnf-x86_64) echo qemu-user ;;
  esac
}

# A Slurm, which the slow tests start on this machine.  Without it they are skipped.
slurm_packages() {
  case $(package_manager) in
    apt-get) echo slurmctld slurmd slurm-client munge ;;
  esac
}

# Prints the prefix of commands that change the system.  Fails if this user may not change it.
root_prefix() { # MANAGER
  if [ "$1" = brew ] || [ "$(id -u)" = 0 ]; then
    echo env
  elif have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    echo sudo
  else
    return 1
  fi
}

install_packages() { # MANAGER PREFIX PACKAGE...
  manager=$1 prefix=$2
  shift 2
  case $manager in
    apt-get)
      $prefix apt-get -q -o Acquire::Retries=3 update &&
        $prefix env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 install \
          --no-install-recommends "$@"
      ;;
    dnf) $prefix dnf -y install "$@" ;;
    brew) brew install "$@" ;;
  esac
}

# Says what to do if nothing can be installed.
advise() { # MANAGER PACKAGE...
  manager=$1
  shift
  [ $# -eq 0 ] || say "Not installed: $*"
  case $manager in
    apt-get | dnf) say "Have them installed:  $manager install $*" ;;
  esac
  say "On a cluster, load a compiler, CMake, MPI, BLAS and HDF5 as environment modules and run this again, for example:"
  say "    module avail"
  say "    module load gcc cmake openmpi openblas hdf5"
}

ensure_packages() { # [PACKAGE...]: packages beside those of the build
  manager=$(package_manager)
  not_installed=$(missing_packages "$manager" "$@")
  if [ -n "$not_installed" ] && prefix=$(root_prefix "$manager"); then
    say "Installing:$not_installed"
    log=$(mktemp)
    # shellcheck disable=SC2086 # a list of names
    if ! install_packages "$manager" "$prefix" $not_installed >"$log" 2>&1; then
      cat "$log" >&2
      rm -f "$log"
      die "$manager could not install:$not_installed"
    fi
    rm -f "$log"
    not_installed=
  fi
  add_mpi_to_path
  for program in "${CC:-cc}" cmake mpicc mpirun; do
    have "${program%% *}" && continue
    say "$0: there is no '$program', and no way to install it as this user (neither root nor sudo)"
    # shellcheck disable=SC2086
    advise "$manager" $not_installed
    exit 1
  done
}

# Installs a package that one check needs.  It is no error if this user may not, or if the manager lacks the package.
install_if_offered() { # PACKAGE
  prefix=$(root_prefix "$manager") || return 0
  install_packages "$manager" "$prefix" "$1" >/dev/null 2>&1 || true
}

# Some systems keep MPI out of PATH until its module is loaded.
add_mpi_to_path() {
  have mpicc && return
  for folder in /usr/lib64/openmpi/bin /usr/lib64/mpich/bin; do
    if [ -x "$folder/mpicc" ]; then
      PATH=$folder:$PATH
      export PATH
      return
    fi
  done
}

# --- configure and build ----------------------------------------------------------------------------------------

cmake_is_at_least() { # MAJOR MINOR
  version=$(cmake --version | sed -n 's/^cmake version //p')
  major=${version%%.*} rest=${version#*.}
  [ "$major" -gt "$1" ] || { [ "$major" -eq "$1" ] && [ "${rest%%.*}" -ge "$2" ]; }
}

preset_options() { # PRESET: the same as in CMakePresets.json, for a CMake that cannot read it
  case $1 in
    release) echo -B build -D CMAKE_BUILD_TYPE=Release ;;
    dev) echo -B build-dev -D CMAKE_BUILD_TYPE=Debug -D TUTTI_SANITIZE=ON -D TUTTI_WERROR=ON ;;
    clang)
      echo -B build-clang -D CMAKE_C_COMPILER=clang -D CMAKE_BUILD_TYPE=Debug -D CMAKE_C_FLAGS_DEBUG=-O1 \
        -D TUTTI_WERROR=ON
      ;;
    fuzz)
      echo -B build-fuzz -D CMAKE_C_COMPILER=clang -D CMAKE_BUILD_TYPE=Debug -D CMAKE_C_FLAGS_DEBUG='-O1' \
        -D TUTTI_SANITIZE=ON -D TUTTI_FUZZ=ON
      ;;
  esac
}

build_folder() { # PRESET
  case $1 in release) echo build ;; *) echo "build-$1" ;; esac
}

configure() { # PRESET [CMAKE OPTION...]
  cmake_is_at_least 3 18 || die "CMake 3.18 or newer is needed, this is $version (for one user: pip install cmake)"
  have make || export CMAKE_GENERATOR=Ninja
  if [ "$manager" = brew ]; then
    CMAKE_PREFIX_PATH=$(brew --prefix openblas)${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
    export CMAKE_PREFIX_PATH
  fi
  preset=$1
  shift
  if cmake_is_at_least 3 21; then
    set -- --preset "$preset" "$@"
  else
    # shellcheck disable=SC2046
    set -- -S . $(preset_options "$preset") "$@"
  fi
  say "Configuring: cmake $*"
  log=$(mktemp)
  if ! cmake "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    if [ -n "$not_installed" ]; then
      # shellcheck disable=SC2086
      advise "$manager" $not_installed
    fi
    exit 1
  fi
  rm -f "$log"
}

build() { # PRESET [TARGET]
  folder=$(build_folder "$1")
  say "Building in $folder"
  cmake --build "$folder" --parallel "$(n_cores)" ${2:+--target "$2"} >&2
}

# --- tests ------------------------------------------------------------------------------------------------------

# Runs CTest in the folder of a preset.  The last line says how many tests ran, failed and were skipped.
run_tests() { # PRESET CTEST OPTION...
  folder=$(build_folder "$1")
  shift
  log=$(mktemp)
  {
    code=0
    # 2>&1: one stream, so that the lines keep their order
    (cd "$folder" && ctest --output-on-failure --no-tests=error -j "$(n_cores)" "$@") 2>&1 || code=$?
    echo "$code" >"$log.code"
  } | tee "$log"
  count_tests "$folder" <"$log"
  code=$(cat "$log.code")
  rm -f "$log" "$log.code"
  return "$code"
}

# Counts the outcomes in the output of CTest, which has one line for each test.
count_tests() { # FOLDER
  awk -v folder="$1" '
    /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
      name = $0
      sub(/^[^:]*: /, "", name)
      sub(/ .*/, "", name)
      if (/\*\*\*Skipped/) skipped_names = skipped_names (skipped++ ? " " : "") name
      else {
        ran++
        if (!/ Passed /) failed++
      }
    }
    END {
      if (ran + skipped == 0) exit
      printf "%s: %d tests ran, %d failed, %d skipped", folder, ran, failed, skipped
      print skipped ? ": " skipped_names : ""
    }'
}

# --- MPI --------------------------------------------------------------------------------------------------------

# Allows more ranks than cores, also as root and in a container, with Open MPI 4 and 5.  MPICH needs none of this.
allow_any_ranks() {
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
  # Containers forbid the system call with which Open MPI 4 copies from one process to another.
  export OMPI_MCA_btl_vader_single_copy_mechanism=none
}

# Prints the launcher of the MPI with which the program was built.
mpiexec_of() { # PRESET
  sed -n 's/^MPIEXEC_EXECUTABLE:[A-Z]*=//p' "$(build_folder "$1")/CMakeCache.txt"
}
