#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace ashlar::base {

void assert_failed(const char* condition, const char* rule, const char* file, int line) noexcept {
  std::fprintf(stderr, "ashlar: broken rule: %s (%s) at %s:%d\n", rule, condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace ashlar::base
