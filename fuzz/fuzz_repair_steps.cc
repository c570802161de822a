// Any text as the steps of a repair: what is taken for steps is what would be written for them, and
// names nothing outside of the directory.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "db/inspection/repair_steps.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  // With the right checksum, which no chance would find.
  char line[40];
  std::snprintf(line, sizeof(line), "checksum %016llx\n",
                static_cast<unsigned long long>(ashlar::base::hash_key(text, 0)));
  text += line;
  const auto steps = ashlar::db::decode_repair_steps(text);
  if (!steps) return 0;
  if (ashlar::db::encode_repair_steps(*steps) != text) std::abort();
  for (const auto& step : steps->list) {
    if (step.name.find("..") != std::string::npos || step.name.starts_with('/')) std::abort();
  }
  return 0;
}
