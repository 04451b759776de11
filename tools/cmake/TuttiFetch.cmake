# Small libraries: the installed one, or else a release that is pinned by its hash and built with this program.  Their own
# build files are not used: they require versions of CMake that new ones reject, and a dozen sources need no build files.
#
# Without network: unpack the release yourself and configure with -DFETCHCONTENT_SOURCE_DIR_<NAME>=folder, where
# NAME is YAML, ZLIB, RANDOM123, XXHASH or CMOCKA.
include(FetchContent)

set(TUTTI_FETCH ON CACHE STRING "small libraries by download: ON (what is not installed), OFF (none) or ALWAYS (all)")
set_property(CACHE TUTTI_FETCH PROPERTY STRINGS ON OFF ALWAYS)

# Makes the target NAME::NAME of the installed library, if there is one and TUTTI_FETCH does not exclude it.
function(tutti_find_small name)
  cmake_parse_arguments(S "" "HEADER;LIBRARY" "" ${ARGN})
  if(TUTTI_FETCH STREQUAL "ALWAYS")
    return()
  endif()
  string(TOUPPER ${name} upper)
  find_path(${upper}_INCLUDE_DIR ${S_HEADER})
  mark_as_advanced(${upper}_INCLUDE_DIR)
  if(NOT ${upper}_INCLUDE_DIR)
    return()
  endif()
  if(S_LIBRARY)
    find_library(${upper}_LIBRARY ${S_LIBRARY})
    mark_as_advanced(${upper}_LIBRARY)
    if(NOT ${upper}_LIBRARY)
      return()
    endif()
    set(found ${${upper}_LIBRARY})
  else()
    set(found ${${upper}_INCLUDE_DIR})
  endif()
  message(STATUS "Found ${name}: ${found}")
  # Imported: its headers are system headers, for which the compiler prints no warnings.
  add_library(${name}::${name} INTERFACE IMPORTED GLOBAL)
  set_target_properties(${name}::${name} PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${${upper}_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${${upper}_LIBRARY}")
endfunction()

# Sets SOURCE in the caller to the folder of the unpacked release.
function(tutti_fetch name)
  cmake_parse_arguments(F "" "URL;SHA256;APT" "" ${ARGN})
  if(TUTTI_FETCH STREQUAL "OFF" OR NOT TUTTI_FETCH)
    message(FATAL_ERROR "${name} not found.\n"
      "  Install it (Debian, Ubuntu: apt-get install ${F_APT}),\n"
      "  or let it be downloaded: -DTUTTI_FETCH=ON")
  endif()
  if(POLICY CMP0135)
    cmake_policy(SET CMP0135 NEW)
  endif()
  string(TOUPPER ${name} upper)
  message(STATUS "${name} comes from ${F_URL} (to use your own copy: "
    "install ${F_APT}, or unpack it and set FETCHCONTENT_SOURCE_DIR_${upper})")
  # SOURCE_SUBDIR has no CMakeLists.txt, so the release is unpacked but not configured.
  FetchContent_Declare(${name} URL ${F_URL} URL_HASH SHA256=${F_SHA256} SOURCE_SUBDIR none
    TIMEOUT 120 INACTIVITY_TIMEOUT 20)
  FetchContent_MakeAvailable(${name})
  set(SOURCE ${${name}_SOURCE_DIR} PARENT_SCOPE)
endfunction()

# Makes a static library of a fetched release, with the name that the installed library would have.
function(tutti_fetched_library name target)
  cmake_parse_arguments(L "" "INCLUDE" "SOURCES;DEFINITIONS" ${ARGN})
  add_library(tutti_fetched_${name} STATIC ${L_SOURCES})
  target_include_directories(tutti_fetched_${name} SYSTEM PUBLIC ${L_INCLUDE})
  target_compile_definitions(tutti_fetched_${name} PRIVATE ${L_DEFINITIONS})
  target_compile_options(tutti_fetched_${name} PRIVATE -w)
  set_target_properties(tutti_fetched_${name} PROPERTIES C_EXTENSIONS ON)
  add_library(${target} ALIAS tutti_fetched_${name})
endfunction()

function(tutti_fetch_yaml)
  tutti_fetch(yaml APT libyaml-dev
    URL https://github.com/yaml/libyaml/releases/download/0.2.5/yaml-0.2.5.tar.gz
    SHA256 c642ae9b75fee120b2d96c712538bd2cf283228d2337df2cf2988e3c02678ef4)
  set(sources api dumper emitter loader parser reader scanner writer)
  list(TRANSFORM sources PREPEND ${SOURCE}/src/)
  list(TRANSFORM sources APPEND .c)
  tutti_fetched_library(yaml yaml::yaml INCLUDE ${SOURCE}/include SOURCES ${sources} DEFINITIONS
    YAML_VERSION_MAJOR=0 YAML_VERSION_MINOR=2 YAML_VERSION_PATCH=5 YAML_VERSION_STRING="0.2.5" YAML_DECLARE_STATIC)
endfunction()

function(tutti_fetch_zlib)
  tutti_fetch(zlib APT zlib1g-dev
    URL https://github.com/madler/zlib/releases/download/v1.2.13/zlib-1.2.13.tar.gz
    SHA256 b3a24de97a8fdbc835b9833169501030b8977031bcb54b3b3ac13740f846ab30)
  set(sources adler32 compress crc32 deflate gzclose gzlib gzread gzwrite infback inffast inflate inftrees trees
    uncompr zutil)
  list(TRANSFORM sources PREPEND ${SOURCE}/)
  list(TRANSFORM sources APPEND .c)
  tutti_fetched_library(zlib ZLIB::ZLIB INCLUDE ${SOURCE} SOURCES ${sources} DEFINITIONS HAVE_UNISTD_H)
endfunction()

function(tutti_fetch_random123)
  tutti_fetch(random123 APT librandom123-dev
    URL https://github.com/DEShawResearch/random123/archive/refs/tags/v1.14.0.tar.gz
    SHA256 effafd8656b18030b2a5b995cd3650c51a7c45052e6e1c21e48b9fa7a59d926e)
  add_library(Random123::Random123 INTERFACE IMPORTED GLOBAL)
  set_target_properties(Random123::Random123 PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${SOURCE}/include)
endfunction()

function(tutti_fetch_xxhash)
  tutti_fetch(xxhash APT libxxhash-dev
    URL https://github.com/Cyan4973/xxHash/archive/refs/tags/v0.8.1.tar.gz
    SHA256 3bb6b7d6f30c591dd65aaaff1c8b7a5b94d81687998ca9400082c739a690436c)
  tutti_fetched_library(xxhash xxhash::xxhash INCLUDE ${SOURCE} SOURCES ${SOURCE}/xxhash.c)
endfunction()

function(tutti_fetch_cmocka)
  tutti_fetch(cmocka APT libcmocka-dev
    URL https://cmocka.org/files/1.1/cmocka-1.1.5.tar.xz
    SHA256 f0ccd8242d55e2fd74b16ba518359151f6f8383ff8aef4976e48393f77bba8b6)
  tutti_fetched_library(cmocka cmocka::cmocka INCLUDE ${SOURCE}/include SOURCES ${SOURCE}/src/cmocka.c DEFINITIONS
    HAVE_ASSERT_H HAVE_INTTYPES_H HAVE_SETJMP_H HAVE_SIGNAL_H HAVE_STDARG_H HAVE_STDDEF_H HAVE_STDINT_H HAVE_STDIO_H
    HAVE_STDLIB_H HAVE_STRINGS_H HAVE_STRING_H HAVE_TIME_H HAVE_UNISTD_H HAVE_STRUCT_TIMESPEC HAVE_CLOCK_GETTIME
    HAVE_CLOCK_REALTIME HAVE_STRSIGNAL HAVE_SIGLONGJMP HAVE_SNPRINTF HAVE_VSNPRINTF HAVE_GCC_THREAD_LOCAL_STORAGE)
endfunction()
