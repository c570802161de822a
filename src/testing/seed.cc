#include "testing/seed.h"

#include <cstdio>
#include <cstdlib>
#include <random>

namespace ashlar::testing {

std::uint64_t seed_of(const char* text, std::uint64_t otherwise) {
  if (text == nullptr || *text == '\0') return otherwise;
  char* end = nullptr;
  const std::uint64_t number = std::strtoull(text, &end, 0);
  return *end == '\0' ? number : otherwise;
}

std::uint64_t seed() {
  static const std::uint64_t chosen = [] {
    std::random_device device;
    const std::uint64_t random = (std::uint64_t{device()} << 32U) | device();
    // Read before any thread of a test starts.
    const std::uint64_t number =
        seed_of(std::getenv("ASHLAR_TEST_SEED"), random);  // NOLINT(concurrency-mt-unsafe)
    std::fprintf(stderr, "ASHLAR_TEST_SEED=%llu repeats this run\n",
                 static_cast<unsigned long long>(number));
    return number;
  }();
  return chosen;
}

}  // namespace ashlar::testing
