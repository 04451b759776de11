# The foreign libraries, each as one imported target.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(MPI 3.0 REQUIRED COMPONENTS C)

# Serial HDF5: rank 0 writes, and the parallel library forbids a second thread.
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 1.10 REQUIRED COMPONENTS C)

find_package(BLAS REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)

# Headers alone; SYSTEM keeps their warnings out of ours.
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
add_library(Random123::Random123 INTERFACE IMPORTED)
set_target_properties(Random123::Random123 PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${RANDOM123_INCLUDE_DIR})
