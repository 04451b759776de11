# Makes CBLAS::CBLAS: a BLAS, its C interface, and the folder of <cblas.h>.
#
# OpenBLAS is preferred.  BLA_VENDOR selects another BLAS (FLAME for BLIS, Intel10_64lp_seq for MKL, FlexiBLAS, ...).
include(CheckCSourceCompiles)
include(CMakePushCheckState)

if(BLA_VENDOR OR DEFINED ENV{BLA_VENDOR})
  find_package(BLAS)
else()
  set(BLA_VENDOR OpenBLAS)
  find_package(BLAS QUIET)
  unset(BLA_VENDOR)
  if(NOT BLAS_FOUND)
    find_package(BLAS)
  endif()
endif()
if(NOT BLAS_FOUND)
  tutti_missing("A BLAS library" APT libopenblas-dev DNF openblas-devel BREW openblas MODULE openblas
    HINT "-DCMAKE_PREFIX_PATH=/path/to/openblas, or -DBLA_VENDOR=Intel10_64lp_seq for MKL, FLAME for BLIS")
endif()

# The header next to the library comes before any other header of the system.
set(tutti_blas_folders)
foreach(library IN LISTS BLAS_LIBRARIES)
  if(IS_ABSOLUTE "${library}")
    get_filename_component(folder "${library}" DIRECTORY)
    list(APPEND tutti_blas_folders ${folder}/../include ${folder}/../../include)
  endif()
endforeach()
set(tutti_cblas_header cblas.h)
if("${BLAS_LIBRARIES}" MATCHES mkl)
  set(tutti_cblas_header mkl_cblas.h)
endif()
if(CBLAS_INCLUDE_DIR AND NOT EXISTS ${CBLAS_INCLUDE_DIR}/${tutti_cblas_header}) # found earlier, for another library
  unset(CBLAS_INCLUDE_DIR CACHE)
endif()
find_path(CBLAS_INCLUDE_DIR NAMES ${tutti_cblas_header} HINTS ${tutti_blas_folders}
  PATH_SUFFIXES openblas blis flexiblas mkl)
mark_as_advanced(CBLAS_INCLUDE_DIR)
if(NOT CBLAS_INCLUDE_DIR)
  tutti_missing("${tutti_cblas_header}, the C interface of ${BLAS_LIBRARIES}," APT libopenblas-dev DNF openblas-devel
    BREW openblas MODULE openblas HINT "-DCBLAS_INCLUDE_DIR=/path/to/include")
endif()

set(tutti_cblas_include ${CBLAS_INCLUDE_DIR})
if(NOT tutti_cblas_header STREQUAL cblas.h)
  file(WRITE ${PROJECT_BINARY_DIR}/cblas/cblas.h "#include <${tutti_cblas_header}>\n")
  list(APPEND tutti_cblas_include ${PROJECT_BINARY_DIR}/cblas)
endif()

# Some BLAS have the C interface in a separate library.
function(tutti_check_cblas result)
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_INCLUDES ${tutti_cblas_include})
  set(CMAKE_REQUIRED_LIBRARIES ${ARGN} BLAS::BLAS)
  set(CMAKE_REQUIRED_QUIET ON)
  check_c_source_compiles("#include <cblas.h>\nint main(void) { return cblas_sdot(0, 0, 1, 0, 1) != 0; }" ${result})
  cmake_pop_check_state()
endfunction()

tutti_check_cblas(TUTTI_CBLAS_IN_BLAS)
if(NOT TUTTI_CBLAS_IN_BLAS)
  find_library(CBLAS_LIBRARY cblas HINTS ${tutti_blas_folders})
  mark_as_advanced(CBLAS_LIBRARY)
  if(CBLAS_LIBRARY)
    tutti_check_cblas(TUTTI_CBLAS_BESIDE_BLAS ${CBLAS_LIBRARY})
  endif()
  if(NOT TUTTI_CBLAS_BESIDE_BLAS)
    tutti_missing("cblas_sdot, the C interface of ${BLAS_LIBRARIES}," APT libopenblas-dev DNF openblas-devel
      BREW openblas MODULE openblas HINT "-DCBLAS_LIBRARY=/path/to/libcblas.so")
  endif()
endif()

add_library(CBLAS::CBLAS INTERFACE IMPORTED GLOBAL)
set_target_properties(CBLAS::CBLAS PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${tutti_cblas_include}")
target_link_libraries(CBLAS::CBLAS INTERFACE ${CBLAS_LIBRARY} BLAS::BLAS)
