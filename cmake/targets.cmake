# The three forms that code takes: a module of the library, a test program, the library itself.
# All source paths are relative to the folder that calls.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ASHLAR_XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(ASHLAR_ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(ASHLAR_LZ4 REQUIRED IMPORTED_TARGET liblz4)
set(ashlar_packages PkgConfig::ASHLAR_XXHASH PkgConfig::ASHLAR_ZSTD PkgConfig::ASHLAR_LZ4)

# ashlar::internal is the library as tests, benches and tools of this tree see it: with src/ on the
# include path and our warnings on. Examples link ashlar::ashlar, as a stranger would.
add_library(ashlar_internal INTERFACE)
add_library(ashlar::internal ALIAS ashlar_internal)
target_include_directories(ashlar_internal INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(ashlar_internal INTERFACE ashlar::ashlar ashlar_flags)

# ashlar_precompile(TARGET OWNER LIBRARIES libraries... HEADERS headers...): TARGET starts from the
# precompiled HEADERS of the target OWNER, which is made on first use.
function(ashlar_precompile target owner)
  if(NOT ASHLAR_PCH)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 2 arg "PIC" "" "LIBRARIES;HEADERS")
  if(NOT TARGET ${owner})
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${owner}.cc CONTENT "")
    add_library(${owner} OBJECT ${PROJECT_BINARY_DIR}/${owner}.cc)
    set_target_properties(${owner} PROPERTIES POSITION_INDEPENDENT_CODE ${arg_PIC})
    target_link_libraries(${owner} PRIVATE ${arg_LIBRARIES})
    target_precompile_headers(${owner} PRIVATE ${arg_HEADERS})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${owner})
endfunction()

set(ashlar_std_headers <algorithm> <array> <atomic> <chrono> <cstddef> <cstdint> <cstring>
  <expected> <functional> <memory> <mutex> <optional> <shared_mutex> <span> <string> <string_view>
  <thread> <unordered_map> <utility> <vector>)

# ashlar_module(NAME SOURCES files...): the part of the library that lies in src/NAME. A folder of
# headers only may leave SOURCES empty.
function(ashlar_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  if(NOT arg_SOURCES)
    return()
  endif()
  set(target ashlar_${name}_objects)
  add_library(${target} OBJECT ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include
    ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${target} PRIVATE ashlar_flags Threads::Threads ${ashlar_packages})
  ashlar_precompile(${target} ashlar_library_pch PIC
    LIBRARIES ashlar_flags Threads::Threads ${ashlar_packages}
    HEADERS ${ashlar_std_headers})
  set_property(GLOBAL APPEND PROPERTY ashlar_modules ${target})
endfunction()

# ashlar_library(): makes the library from all modules. Called once, after all folders.
function(ashlar_library)
  get_property(modules GLOBAL PROPERTY ashlar_modules)
  list(TRANSFORM modules REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>")
  add_library(ashlar STATIC ${modules})
  add_library(ashlar::ashlar ALIAS ashlar)
  set_target_properties(ashlar PROPERTIES LINKER_LANGUAGE CXX)
  target_compile_features(ashlar PUBLIC cxx_std_23)
  target_include_directories(ashlar PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:include>)
  target_link_libraries(ashlar PUBLIC Threads::Threads PRIVATE ${ashlar_packages})
endfunction()

# ashlar_test(NAME SOURCES files... [LABELS labels...] [LIBRARIES libraries...] [TIMEOUT seconds]
# [BOTH_ENGINES]): the GoogleTest program NAME_test; ctest knows each of its cases as
# NAME.Suite.Case, and with BOTH_ENGINES, run on the disk engine (src/db/engine_rig_test.h), as
# NAME.disk.Suite.Case. Labels: `fast` unless given.
function(ashlar_test name)
  if(NOT ASHLAR_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "BOTH_ENGINES" "TIMEOUT" "SOURCES;LABELS;LIBRARIES")
  if(NOT arg_LABELS)
    set(arg_LABELS fast)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()

  set(target ${name}_test)
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ashlar::internal
    $<$<TARGET_EXISTS:ashlar_testing>:ashlar_testing> ${arg_LIBRARIES} GTest::gtest_main)
  # Not shared: a library may bring flags of its own, and C cannot read the headers of C++.
  if(NOT arg_LIBRARIES AND NOT arg_SOURCES MATCHES "\\.c(;|$)")
    ashlar_precompile(${target} ashlar_test_pch
      LIBRARIES ashlar::internal GTest::gtest
      HEADERS ${ashlar_std_headers} <gtest/gtest.h>)
  endif()
  gtest_discover_tests(${target}
    TEST_PREFIX ${name}.
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    TEST_LIST ${target}_cases
    PROPERTIES TIMEOUT ${arg_TIMEOUT})
  if(arg_BOTH_ENGINES)
    gtest_discover_tests(${target}
      TEST_PREFIX ${name}.disk.
      DISCOVERY_MODE PRE_TEST
      DISCOVERY_TIMEOUT 60
      TEST_LIST ${target}_disk_cases
      PROPERTIES TIMEOUT ${arg_TIMEOUT} ENVIRONMENT ASHLAR_TEST_ENGINE=disk)
  endif()

  # gtest_discover_tests keeps the first of several labels only, so ctest hears of all of them here.
  set(labels_file ${CMAKE_CURRENT_BINARY_DIR}/${target}_labels.cmake)
  file(WRITE ${labels_file}
    "set_tests_properties(\${${target}_cases} \${${target}_disk_cases}
      PROPERTIES LABELS \"${arg_LABELS}\")\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${labels_file})
endfunction()

if(ASHLAR_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
