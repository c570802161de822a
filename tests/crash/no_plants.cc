#include "plants.h"

namespace ashlar::crash {

bool plant_bug(std::string_view name) {
  return name.empty();
}

}  // namespace ashlar::crash
