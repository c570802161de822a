# What `make install` lays down: the library, its headers, the CMake package, the pkg-config file,
# the command.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(ashlar_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ashlar)

install(TARGETS ashlar EXPORT ashlarTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(ASHLAR_CLI)
  install(TARGETS ashlar-cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ashlar DESTINATION include
  FILES_MATCHING PATTERN "*.h")
install(EXPORT ashlarTargets NAMESPACE ashlar:: DESTINATION ${ashlar_package_dir})

configure_package_config_file(cmake/ashlarConfig.cmake.in ashlarConfig.cmake
  INSTALL_DESTINATION ${ashlar_package_dir})
write_basic_package_version_file(ashlarConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ashlarConfig.cmake
  ${PROJECT_BINARY_DIR}/ashlarConfigVersion.cmake DESTINATION ${ashlar_package_dir})

# The file finds its prefix from where it lies, so a tree may be installed anywhere and moved.
file(RELATIVE_PATH ashlar_prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/ashlar.pc.in ashlar.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ashlar.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
