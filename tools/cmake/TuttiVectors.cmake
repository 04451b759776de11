# Checks what the compiler can do with loops over arrays.  If it can do less, nothing fails, but a message says what is slower.
#
#   TUTTI_HAS_X86_LEVELS    it compiles for x86-64-v3 (AVX2) and x86-64-v4 (AVX-512)
#   TUTTI_HAS_BF16          it compiles for AVX-512 BF16
#   TUTTI_HAS_CLONES        base/clones.h: it compiles one function for several of these
#   TUTTI_HAS_INDEPENDENT   base/loops.h: it vectorises a loop in place, if the code promises that iterations are independent
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)

# Checks whether a macro of a header of src/ expands to something.
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
check_c_compiler_flag(-mavx512bf16 TUTTI_HAS_BF16)
tutti_check_macro(base/clones.h TUTTI_CLONES TUTTI_HAS_CLONES)
tutti_check_macro(base/loops.h TUTTI_INDEPENDENT TUTTI_HAS_INDEPENDENT)

set(slower)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$") # other processors have one level of vector units
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
