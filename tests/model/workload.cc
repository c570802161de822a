#include "workload.h"

#include <array>
#include <string_view>

namespace ashlar::model {

std::string key_of(KeyShape shape, std::uint64_t index) {
  if (shape == KeyShape::kPlain) return "k" + std::to_string(index);

  // Numbers in base 4 without a zero digit: every sequence of pieces stands for one number, and the
  // pieces begin with different bytes, so no two numbers give one key.
  static constexpr std::array<std::string_view, 4> kPieces{std::string_view("\0", 1), "\xff", "a",
                                                           "common-prefix:"};
  std::string key;
  for (std::uint64_t rest = index + 1; rest > 0; rest = (rest - 1) / 4) {
    key += kPieces[(rest - 1) % 4];
  }
  if (index % 97 == 0) key.append(900, 'x');
  return key;
}

std::size_t value_bytes(testing::Random& random, std::uint64_t large_bytes) {
  const std::uint64_t choice = random.below(1000);
  if (choice < 50) return 0;
  if (choice < 800) return random.below(120);
  if (choice < 960) return random.below(600);
  if (choice < 998) return random.below(5000);
  return random.below(large_bytes);
}

}  // namespace ashlar::model
