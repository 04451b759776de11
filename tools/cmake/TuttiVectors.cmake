# What the compiler makes of loops over arrays.  Nothing fails where it can do less: what is slower then is said here.
#
#   TUTTI_HAS_X86_LEVELS    it compiles for x86-64-v3 (AVX2) and x86-64-v4 (AVX-512)
#   TUTTI_HAS_CLONES        base/clones.h: one function for several of these
#   TUTTI_HAS_INDEPENDENT   base/loops.h: the promise that makes a vector loop of one that may work in place
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)

# Whether a macro of a header of src/ is more than nothing.
function(tutti_check_macro header macro result)
  set(CMAKE_REQUIRED_INCLUDES ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../src)
  check_c_source_compiles("
    #include \"${header}\"
    #define TEXT(...) #__VA_ARGS__
    #define TEXT_OF(macro) TEXT(macro)
    _Static_assert(sizeof TEXT_OF(${macro}) > 1, \"nothing\");
    int main(void) { return 0; }" ${result})
endfunction()

check_c_compiler_flag(-march=x86-64-v4 TUTTI_HAS_X86_LEVELS)
tutti_check_macro(base/clones.h TUTTI_CLONES TUTTI_HAS_CLONES)
tutti_check_macro(base/loops.h TUTTI_INDEPENDENT TUTTI_HAS_INDEPENDENT)

set(slower)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$") # others have one level of vector units
  if(NOT TUTTI_HAS_X86_LEVELS)
    list(APPEND slower "small matrix products (no AVX2, no AVX-512)")
  endif()
  if(NOT TUTTI_HAS_CLONES)
    list(APPEND slower "activations, losses and updates (no AVX2, no AVX-512)")
  endif()
endif()
if(NOT TUTTI_HAS_INDEPENDENT)
  list(APPEND slower "loops in place (no vectors)")
endif()
if(slower)
  string(REPLACE ";" ", " slower "${slower}")
  message(STATUS "Slower than with GCC 12 or newer, as ${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION} compiles them: ${slower}")
endif()
