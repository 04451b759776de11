# Tests: cmocka programs, programs under mpiexec, and shell scripts that drive the command line.
#
#   tutti_add_unit_test(ROOM SOURCES test_x.c ... [LINK target ...])
#       one program and one test per source, named ROOM.x; without mpiexec, milliseconds
#   tutti_add_mpi_test(NAME SOURCES test_x.c RANKS 1 2 3 4 [USES room ...] [TIMEOUT s])
#       one program, and one test per number of ranks, named NAME.n1, NAME.n2, ...; support/mpi_main.h has its main
#   tutti_add_cli_test(NAME SCRIPT x.sh [RANKS 1 3] [TIMEOUT s])
#       a POSIX shell script, with TUTTI, MPIEXEC, RANKS, SOURCE_DIR and an empty WORK_DIR in its environment
#   tutti_add_bench(NAME SOURCES bench_x.c ... RANKS 1 3 [USES room ...] [LINK target ...])
#       the program bench_NAME over support/bench.h, and tests bench.NAME.n1, ... of its --short sizes
#
# Every test has one BLAS thread, and a time limit, because a hang is a failure.

set(TUTTI_TEST_ENVIRONMENT
  OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
  OMPI_MCA_btl_vader_single_copy_mechanism=none
  PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
  PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
  # What is measured on this machine stays in the build tree.
  XDG_CACHE_HOME=${PROJECT_BINARY_DIR}/cache
  # Memory that MPI itself does not free is not our leak.
  LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp:print_suppressions=0
  # The sanitizer guesses the addresses of thread-local variables of libraries that are loaded late, and may look for leaks at
  # wrong places.
  ASAN_OPTIONS=intercept_tls_get_addr=0
  UBSAN_OPTIONS=print_stacktrace=1)

function(tutti_test_program target)
  cmake_parse_arguments(T "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${target} ${T_SOURCES})
  target_link_libraries(${target} PRIVATE tutti_flags tutti_test_support cmocka::cmocka ${T_LINK})
endfunction()

function(tutti_add_unit_test room)
  cmake_parse_arguments(T "" "" "SOURCES;LINK" ${ARGN})
  foreach(source IN LISTS T_SOURCES)
    string(REGEX REPLACE "^test_(.*)\\.c$" "\\1" topic ${source})
    set(target test_${room}_${topic})
    tutti_test_program(${target} SOURCES ${source} LINK tutti_${room} ${T_LINK})
    add_test(NAME ${room}.${topic} COMMAND ${target})
    set_tests_properties(${room}.${topic} PROPERTIES LABELS unit TIMEOUT 60 ENVIRONMENT "${TUTTI_TEST_ENVIRONMENT}")
  endforeach()
endfunction()

function(tutti_add_mpi_test name)
  cmake_parse_arguments(T "" "TIMEOUT" "SOURCES;RANKS;USES" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 60)
  endif()
  set(rooms ${T_USES})
  list(TRANSFORM rooms PREPEND tutti_)
  if(TUTTI_SANITIZE)
    list(APPEND T_SOURCES ${PROJECT_SOURCE_DIR}/tests/support/keep_modules.c)
  endif()
  tutti_test_program(test_mpi_${name} SOURCES ${T_SOURCES} ${PROJECT_SOURCE_DIR}/tests/support/mpi_main.c
    LINK ${rooms} tutti_par MPI::MPI_C)
  foreach(n IN LISTS T_RANKS)
    add_test(NAME ${name}.n${n} COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${n} $<TARGET_FILE:test_mpi_${name}>)
    set_tests_properties(${name}.n${n} PROPERTIES LABELS "mpi;n${n}" PROCESSORS ${n} TIMEOUT ${T_TIMEOUT}
      ENVIRONMENT "${TUTTI_TEST_ENVIRONMENT}")
  endforeach()
endfunction()

function(tutti_add_cli_test name)
  cmake_parse_arguments(T "" "SCRIPT;TIMEOUT" "RANKS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  if(NOT T_RANKS)
    set(T_RANKS 1)
  endif()
  foreach(n IN LISTS T_RANKS)
    set(work ${CMAKE_CURRENT_BINARY_DIR}/scratch/${name}.n${n})
    add_test(NAME ${name}.n${n} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/${T_SCRIPT})
    set_tests_properties(${name}.n${n} PROPERTIES LABELS "e2e;n${n}" PROCESSORS ${n} TIMEOUT ${T_TIMEOUT}
      SKIP_RETURN_CODE 77
      ENVIRONMENT "${TUTTI_TEST_ENVIRONMENT};TUTTI=$<TARGET_FILE:tutti_cli>;MPIEXEC=${MPIEXEC_EXECUTABLE};RANKS=${n};SOURCE_DIR=${PROJECT_SOURCE_DIR};WORK_DIR=${work}")
  endforeach()
endfunction()

function(tutti_add_bench name)
  cmake_parse_arguments(T "" "" "SOURCES;RANKS;USES;LINK" ${ARGN})
  set(rooms ${T_USES})
  list(TRANSFORM rooms PREPEND tutti_)
  if(TUTTI_SANITIZE)
    list(APPEND T_SOURCES ${PROJECT_SOURCE_DIR}/tests/support/keep_modules.c)
  endif()
  add_executable(bench_${name} ${T_SOURCES})
  target_link_libraries(bench_${name} PRIVATE tutti_flags tutti_bench_support ${rooms} ${T_LINK})
  foreach(n IN LISTS T_RANKS)
    set(test bench.${name}.n${n})
    add_test(NAME ${test} COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${n} $<TARGET_FILE:bench_${name}> --short)
    set_tests_properties(${test} PROPERTIES LABELS "bench;n${n}" PROCESSORS ${n} TIMEOUT 60
      ENVIRONMENT "${TUTTI_TEST_ENVIRONMENT}")
  endforeach()
endfunction()
