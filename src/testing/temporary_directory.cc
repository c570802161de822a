#include "testing/temporary_directory.h"

#include <cstdlib>
#include <string>
#include <system_error>

#include "base/assert.h"

namespace ashlar::testing {

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "ashlar-XXXXXX").string();
  ASHLAR_ASSERT(::mkdtemp(name.data()) != nullptr, "a temporary directory can be made");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;  // A directory that stays behind fails no test.
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace ashlar::testing
