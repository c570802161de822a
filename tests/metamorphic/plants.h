/// \file
/// Bugs inside the disk engine that the comparison must find. A planted twin of the test has its
/// own build of the sources concerned, linked before the library's (plants.cc).
#pragma once

#include <string_view>

namespace ashlar::metamorphic {

/// Makes the bug `name` be there from now on; none for "". Returns: false when there is no such bug
bool plant_bug(std::string_view name);

}  // namespace ashlar::metamorphic
