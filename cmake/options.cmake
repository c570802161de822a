# Every switch of the build, and the compiler flags that follow from them. CMakePresets.json names
# the combinations that are in use.

option(ASHLAR_WARNINGS_AS_ERRORS "Stop the build at the first warning" OFF)
option(ASHLAR_CHECKED "Compile ASHLAR_DEBUG_ASSERT in" OFF)
option(ASHLAR_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(ASHLAR_CLI "Build the command ashlar" ${PROJECT_IS_TOP_LEVEL})
option(ASHLAR_BENCH "Build bench/" OFF)
option(ASHLAR_FUZZ "Build fuzz/ (clang only)" OFF)
option(ASHLAR_COVERAGE "Instrument for gcov" OFF)
option(ASHLAR_THREAD_SAFETY "Run the analysis of lock annotations (clang only)" OFF)
option(ASHLAR_PCH "Precompile the standard headers" OFF)
set(ASHLAR_SANITIZE "" CACHE STRING "Sanitizers, separated by ';'")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)

find_program(ASHLAR_CCACHE ccache)
if(ASHLAR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The three words are what ccache asks for before it caches a use of a precompiled header.
  set(ashlar_launcher ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime
    # A clone in another folder finds what this one has compiled.
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${ASHLAR_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${ashlar_launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ashlar_launcher})
endif()

# Warnings: for our own code only. Everything that links ashlar::internal has them too.
add_library(ashlar_flags INTERFACE)
target_compile_options(ashlar_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual>
  # Not of g++ 12, which sees null pointers in moves of std::optional and std::unique_ptr.
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wnull-dereference>
  # g++ 12 sees overlaps in additions of a literal and a string (its bug 105651).
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>
  $<$<BOOL:${ASHLAR_WARNINGS_AS_ERRORS}>:-Werror>
  $<$<BOOL:${ASHLAR_THREAD_SAFETY}>:-Wthread-safety>)

# What follows changes the meaning or the layout of code: all targets have it or none.
if(ASHLAR_CHECKED)
  add_compile_definitions(ASHLAR_CHECKED)
endif()
if(ASHLAR_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(ASHLAR_SANITIZE)
  list(JOIN ASHLAR_SANITIZE "," ashlar_sanitizers)
  add_compile_options(-fsanitize=${ashlar_sanitizers} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ashlar_sanitizers})
endif()
if(ASHLAR_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
