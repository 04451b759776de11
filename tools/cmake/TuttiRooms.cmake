# A room is a folder of src/.  It is a library, which uses rooms below it and at most one foreign library.
#
#   tutti_room(NAME SOURCES file.c ... [USES room ...] [LINK target ...])
#
# USES names the rooms whose headers this room includes.  LINK names the foreign library, which only this room sees.

add_library(tutti_flags INTERFACE)
target_compile_definitions(tutti_flags INTERFACE _POSIX_C_SOURCE=200809L)
target_compile_options(tutti_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= # messages name a file as the repository does
  # The rest of a table's row is zero on purpose, and constants of an enum are numbers.
  $<$<C_COMPILER_ID:Clang,AppleClang>:-Wno-missing-field-initializers -Wno-enum-float-conversion>
  $<$<BOOL:${TUTTI_WERROR}>:-Werror>
  $<$<CONFIG:Release>:-O3 -fno-math-errno -fno-trapping-math>)
# A release hardens what the processor does anyway: addresses of the program vary, tables of the loader are read-only, and a
# buffer that is written beyond its end ends the program.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_compile_options(tutti_flags INTERFACE $<$<CONFIG:Release>:-fstack-protector-strong>)
target_compile_definitions(tutti_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  target_link_options(tutti_flags INTERFACE $<$<CONFIG:Release>:LINKER:-z,relro,-z,now>)
endif()
if(TUTTI_SANITIZE)
  # For fuzzing without the arithmetic, which reads no files, and which clang compiles for many minutes so.
  set(checked "$<NOT:$<AND:$<BOOL:${TUTTI_FUZZ}>,$<STREQUAL:$<TARGET_PROPERTY:NAME>,tutti_linalg>>>")
  target_compile_options(tutti_flags INTERFACE
    "$<${checked}:-fsanitize=address,undefined;-fno-sanitize-recover=undefined;-fno-omit-frame-pointer>")
  target_link_options(tutti_flags INTERFACE -fsanitize=address,undefined)
endif()

if(TUTTI_FUZZ)
  target_compile_options(tutti_flags INTERFACE "$<${checked}:-fsanitize=fuzzer-no-link>")
endif()

function(tutti_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;LINK" ${ARGN})
  add_library(tutti_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(tutti_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(tutti_${name} PRIVATE tutti_flags ${ROOM_LINK})
  foreach(used IN LISTS ROOM_USES)
    target_link_libraries(tutti_${name} PUBLIC tutti_${used})
  endforeach()
endfunction()

# Sets the result to the files [PREFIX]word.c of this folder, for each X(CODE, word, ...) in include/tutti/LIST.  A word without
# a file of its own shares the file of a similar one.
function(tutti_listed_files result list)
  cmake_parse_arguments(L "" "PREFIX" "" ${ARGN})
  set(path ${CMAKE_CURRENT_SOURCE_DIR}/${list})
  if(NOT EXISTS ${path})
    set(path ${PROJECT_SOURCE_DIR}/include/tutti/${list})
  endif()
  file(READ ${path} text)
  string(REGEX MATCHALL "\nX\\([A-Z0-9_]+, [a-z0-9_]+" words "${text}")
  list(TRANSFORM words REPLACE ".*, " "")
  set(files)
  foreach(word IN LISTS words)
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${L_PREFIX}${word}.c)
      list(APPEND files ${L_PREFIX}${word}.c)
    endif()
  endforeach()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  set(${result} ${files} PARENT_SCOPE)
endfunction()
