# doctor, and the same preflight before a training: what each rank has, and a warning where that is too little.
. "$SOURCE_DIR/tests/e2e/lib.sh"
# These decide before anything else does.
unset OPENBLAS_NUM_THREADS MKL_NUM_THREADS BLIS_NUM_THREADS OMP_NUM_THREADS OPENBLAS_CORETYPE
unset SLURM_CPUS_PER_TASK SLURM_CPUS_ON_NODE OMP_PROC_BIND OMP_PLACES GOMP_CPU_AFFINITY KMP_AFFINITY

n_processors=$(getconf _NPROCESSORS_ONLN)

# field NAME: of a "name<tab>value" line; column RANK NAME: of the table.
field() { sed -n "s/^$1	//p" "$out"; }
column() {
  awk -F '\t' -v rank="$1" -v name="$2" '
    $1 == "rank" { for (i = 1; i <= NF; i++) if ($i == name) c = i }
    c && $1 == rank { print $c }' "$out"
}

# --- one rank ---------------------------------------------------------------------------------------------------

succeed 1 doctor
expect_text 'tutti	' 'mpi	' 'hdf5	' 'blas	' 'cpu	' 'ranks	1' 'nodes	1'
expect_same "$(field processors)" "$n_processors"
expect_same "$(column 0 blas)" "$(field blas)"
n_threads=$(column 0 threads)
[ "$n_threads" -ge 1 ] || fail 'a rank has threads'
kernels=$(field blas)

# The round trip between cores: one thread has none, and threads that share a core have no meaningful one.
OMP_NUM_THREADS=1 succeed 1 doctor
expect_no_text round_trip
OMP_NUM_THREADS=$((n_processors + 1)) run 1 doctor
expect_same "$(field round_trip) $(field round_trip_ns)" 'more_threads_than_cores '
if [ "$n_threads" -gt 1 ]; then
  succeed 1 doctor
  case $(field round_trip) in
  normal | slow | cores_without_a_common_cache) [ "$(field round_trip_ns)" -gt 0 ] ;;
  interrupted) ;; # a busy machine
  *) false ;;
  esac || fail "round trip: $(field round_trip) $(field round_trip_ns)"
fi

# --- threads ----------------------------------------------------------------------------------------------------

OMP_NUM_THREADS=3,2 run 1 doctor
expect_same "$(column 0 threads) $(column 0 why)" '3 OMP_NUM_THREADS'
expect_text 'environment	OMP_NUM_THREADS=3,2'
OMP_NUM_THREADS=$((n_processors + 1)) run 1 doctor
expect_text 'warning: rank 0 has ' 'mpirun --map-by slot:PE=' 'srun --cpus-per-task='

# One core: all ranks share it.  A rank that wants two threads gets a warning of its own.
if command -v taskset >/dev/null && taskset -c 0 true 2>/dev/null; then
  call taskset -c 0 "$TUTTI" doctor
  expect_status 0
  expect_same "$(column 0 processors) $(column 0 cores) $(column 0 threads) $(column 0 why)" '0 1 1 1 core, 1 rank'
  expect_no_text warning
  OMP_NUM_THREADS=2 call taskset -c 0 "$TUTTI" doctor
  expect_text 'warning: rank 0 has 2 threads but 1 core of '
  if [ "$RANKS" -gt 1 ]; then
    call taskset -c 0 "$MPIEXEC" -n "$RANKS" taskset -c 0 "$TUTTI" doctor
    expect_status 0
    expect_text "warning: $RANKS ranks share 1 core of " '(0)'
    expect_same "$(column $((RANKS - 1)) threads) $(column 0 why)" "1 1 core, $RANKS ranks"
    expect_count 1 'tutti: warning: '
  fi
fi

# --- vectors ----------------------------------------------------------------------------------------------------

# Wider ones than the processor has cannot be had.
if [ "$(uname -m)" = x86_64 ]; then
  TUTTI_VECTORS=baseline succeed 1 doctor
  expect_same "$(field vector_units)" baseline
fi
TUTTI_VECTORS=sse
export TUTTI_VECTORS
refuse 64 'TUTTI_VECTORS=sse' 'expected avx512, avx2 or baseline' -- doctor
unset TUTTI_VECTORS

# --- binding ----------------------------------------------------------------------------------------------------

is_openmpi() { "$MPIEXEC" --version 2>&1 | grep -q 'Open MPI\|OpenRTE'; }
if [ "$RANKS" -gt 1 ] && [ "$n_processors" -gt 1 ] && is_openmpi; then
  call "$MPIEXEC" -n 2 --bind-to none "$TUTTI" doctor
  expect_no_text warning
  call "$MPIEXEC" -n 2 --bind-to core "$TUTTI" doctor
  expect_same "$(column 0 cores) $(column 1 cores) $(column 0 why)" '1 1 1 core, 1 rank'
  [ "$(column 0 processors)" != "$(column 1 processors)" ] || fail 'two ranks are bound to one core'
  expect_no_text warning
  OMP_NUM_THREADS=2 call "$MPIEXEC" -n 2 --bind-to core "$TUTTI" doctor
  expect_text 'warning: rank 0 has 2 threads but 1 core of '
  expect_count 1 'tutti: warning: '
  OMP_NUM_THREADS=$n_processors call "$MPIEXEC" -n 2 --bind-to none "$TUTTI" doctor
  expect_text 'warning: 2 ranks with ' 'parallel.threads='
fi

# --- OpenMP binds the first thread before there is a rank: what it was given are all its places --------------------

succeed 1 doctor
all="$(column 0 processors) $(column 0 cores) $(column 0 threads)"
several=$(column 0 threads)
for setting in OMP_PROC_BIND=true OMP_PROC_BIND=close,spread OMP_PLACES=cores OMP_PLACES=threads \
  GOMP_CPU_AFFINITY=0-1023; do
  call env "$setting" "$TUTTI" doctor
  expect_status 0
  expect_same "$(column 0 processors) $(column 0 cores) $(column 0 threads)" "$all"
  expect_text "environment	$setting"
  expect_no_text warning
done
OMP_PROC_BIND=true OMP_NUM_THREADS=$several call "$TUTTI" doctor
expect_no_text warning
if [ "$several" -gt 1 ] && OMP_DISPLAY_ENV=true OMP_PLACES='{0}' "$TUTTI" doctor 2>&1 | grep -q "OMP_PLACES = '{0}'"; then
  # Of places that somebody names there are no more.
  call env OMP_PLACES='{0}' "$TUTTI" doctor
  expect_same "$(column 0 processors) $(column 0 cores)" '0 1'
  OMP_NUM_THREADS=2 call env OMP_PLACES='{0}' "$TUTTI" doctor
  expect_text 'warning: rank 0 has 2 threads but 1 core of ' '(without OMP_PLACES, mpirun '
  # Several ranks are bound by the launcher alone.
  if [ "$RANKS" -gt 1 ] && is_openmpi; then
    OMP_PROC_BIND=true call "$MPIEXEC" -n 2 --bind-to none "$TUTTI" doctor
    expect_same "$(column 0 processors) $(column 1 processors)" "${all%% *} ${all%% *}"
    expect_text 'environment	OMP_PROC_BIND=false'
    expect_no_text warning
    OMP_PROC_BIND=true call "$MPIEXEC" -n 2 --bind-to core "$TUTTI" doctor
    expect_same "$(column 0 cores) $(column 1 cores)" '1 1'
    [ "$(column 0 processors)" != "$(column 1 processors)" ] || fail 'two ranks are bound to one core'
    expect_no_text warning
    OMP_PLACES='{0}' call "$MPIEXEC" -n 2 --bind-to none "$TUTTI" doctor
    expect_text 'warning: 2 ranks share 1 core of ' 'without OMP_PLACES, mpirun '
  fi
fi

# --- a training says the same -----------------------------------------------------------------------------------

write_small_config
if [ "$RANKS" -gt "$n_processors" ]; then
  succeed "$RANKS" train small.yaml --train.epochs=1 --run.directory=runs/shared
  expect_count 1 "tutti: warning: $RANKS ranks share "
fi
succeed 1 train small.yaml --train.epochs=1 --parallel.threads=$((n_processors + 1)) --run.directory=runs/crowded
expect_text ' threads but ' "$((n_processors + 1)) threads per rank (parallel.threads)"
expect_count 1 'tutti: warning: rank 0 has '

# --- kernels ----------------------------------------------------------------------------------------------------

# Only OpenBLAS can be told, and only where the processor has something that is worth it.
case $kernels in OpenBLAS*) ;; *) exit 0 ;; esac
case $(field vector_units) in AVX*) ;; *) exit 0 ;; esac
OPENBLAS_CORETYPE=Prescott run "$RANKS" doctor
expect_status 0
if ! field blas | grep -q ' Prescott$'; then exit 0; fi # built for one processor
expect_text 'environment	OPENBLAS_CORETYPE=Prescott' 'Prescott kernels' 'remove OPENBLAS_CORETYPE from the environment'
expect_same "$(column $((RANKS - 1)) blas)" "$(field blas)"

# With the fault the library knows no processor: the program starts again, once, with the kernels that it should have
# taken, and gives its arguments along.
export TUTTI_FAULT=linalg.kernels:0:1
succeed "$RANKS" doctor
expect_text '(chosen by tutti; the library had taken Prescott)' 'environment	OPENBLAS_CORETYPE='
expect_no_text 'Prescott kernels'
chosen=$(field environment | sed -n 's/^OPENBLAS_CORETYPE=//p')
expect_same "$(field blas | cut -d ' ' -f 3)" "$chosen"
expect_same "$(column $((RANKS - 1)) blas)" "$(field blas)"
succeed "$RANKS" train small.yaml --train.epochs=1 --run.directory='runs/two words'
expect_text "(chosen by tutti; the library had taken Prescott)" 'epoch 1/1' 'run runs/two words'
succeed 1 --version
expect_no_text chosen
# What the user chose stays.
OPENBLAS_CORETYPE=Prescott run "$RANKS" doctor
expect_text ' Prescott'
expect_no_text 'chosen by'
