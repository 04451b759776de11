# The foreign libraries, each as one imported target:
#
#   MPI::MPI_C  hdf5::hdf5  CBLAS::CBLAS  ZLIB::ZLIB  yaml::yaml  Random123::Random123  xxhash::xxhash  cmocka::cmocka
#
# and TUTTI_OPENMP, the target of OpenMP or nothing.
# MPI, HDF5 and BLAS come from the machine.  If one is missing, the message says what to install or to load.
# The other five are small: TuttiFetch builds a pinned release of those that are not installed.
include(TuttiFetch)

# Ends the configuration, and says how to install the missing library.
function(tutti_missing what)
  cmake_parse_arguments(M "" "APT;DNF;BREW;MODULE;HINT" "" ${ARGN})
  message(FATAL_ERROR
    "${what} not found.\n"
    "  Debian, Ubuntu:    apt-get install ${M_APT}\n"
    "  Fedora, RHEL:      dnf install ${M_DNF}\n"
    "  macOS:             brew install ${M_BREW}\n"
    "  cluster, no root:  module load ${M_MODULE} (see 'module avail')\n"
    "  elsewhere:         ${M_HINT}")
endfunction()

find_package(MPI 3.0 COMPONENTS C)
if(NOT MPI_C_FOUND)
  tutti_missing("MPI 3.0 or newer" APT "libopenmpi-dev openmpi-bin" DNF openmpi-devel BREW open-mpi MODULE openmpi
    HINT "-DMPI_C_COMPILER=/path/to/mpicc")
endif()

# Serial HDF5: rank 0 writes, and the parallel library forbids a second thread.
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 1.10 COMPONENTS C)
if(NOT HDF5_FOUND)
  tutti_missing("HDF5 1.10 or newer (the serial C library)" APT libhdf5-dev DNF hdf5-devel BREW hdf5 MODULE hdf5
    HINT "-DHDF5_ROOT=/path/to/hdf5")
endif()
if(NOT TARGET hdf5::hdf5) # FindHDF5 makes it from CMake 3.19 on
  add_library(hdf5::hdf5 INTERFACE IMPORTED)
  set_target_properties(hdf5::hdf5 PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${HDF5_C_INCLUDE_DIRS}"
    INTERFACE_LINK_LIBRARIES "${HDF5_C_LIBRARIES}")
endif()

include(TuttiCblas)

# Threads of loops and products; without OpenMP a loop has one, and the BLAS makes its own.
find_package(OpenMP COMPONENTS C QUIET)
if(OpenMP_C_FOUND)
  set(TUTTI_OPENMP OpenMP::OpenMP_C)
else()
  set(TUTTI_OPENMP)
  message(STATUS "OpenMP not found: only the BLAS has more than one thread a rank")
endif()

# The watchdog is a thread of each rank.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

tutti_find_small(ZLIB HEADER zlib.h LIBRARY z)
if(NOT TARGET ZLIB::ZLIB)
  tutti_fetch_zlib()
endif()

tutti_find_small(yaml HEADER yaml.h LIBRARY yaml)
if(NOT TARGET yaml::yaml)
  tutti_fetch_yaml()
endif()

tutti_find_small(Random123 HEADER Random123/philox.h)
if(NOT TARGET Random123::Random123)
  tutti_fetch_random123()
endif()

tutti_find_small(xxhash HEADER xxhash.h LIBRARY xxhash)
if(NOT TARGET xxhash::xxhash)
  tutti_fetch_xxhash()
endif()

if(TUTTI_TESTS)
  tutti_find_small(cmocka HEADER cmocka.h LIBRARY cmocka)
  if(NOT TARGET cmocka::cmocka)
    tutti_fetch_cmocka()
  endif()
endif()
