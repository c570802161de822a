// The quick forms of racy access do what their plain specification does, byte for byte, and touch
// nothing beyond.

#include "base/racy.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::base::racy {
namespace {

// All lengths around words, vectors and the border of the long copy.
constexpr std::size_t kBytesMax = 70;
constexpr std::size_t kLongBytes[] = {1023, 1024, 1025, 5000};

void expect_loaded(const std::string& from, std::size_t offset, std::size_t bytes) {
  std::string quick(from.size() + 2, '#');
  std::string plain = quick;
  load_bytes(quick.data() + 1, from.data() + offset, bytes);
  plain::load_bytes(plain.data() + 1, from.data() + offset, bytes);
  EXPECT_EQ(quick, plain) << bytes << " bytes at " << offset;
}

TEST(Racy, LoadsWhatThePlainFormLoads) {
  testing::Random random(testing::seed());
  const std::string from = random.bytes(5100);
  for (std::size_t bytes = 0; bytes <= kBytesMax; ++bytes) {
    for (std::size_t offset = 0; offset < 17; ++offset) expect_loaded(from, offset, bytes);
  }
  for (const std::size_t bytes : kLongBytes) expect_loaded(from, 3, bytes);
}

TEST(Racy, StoresWhatThePlainFormStores) {
  testing::Random random(testing::seed());
  const std::string from = random.bytes(200);
  for (std::size_t bytes = 0; bytes <= kBytesMax; ++bytes) {
    std::string quick(100, '#');
    std::string plain = quick;
    store_bytes(quick.data() + 5, from.data(), bytes);
    plain::store_bytes(plain.data() + 5, from.data(), bytes);
    EXPECT_EQ(quick, plain);
  }
}

// One differing byte in turn, at each place.
TEST(Racy, TellsBytesApartWhereverTheyDiffer) {
  testing::Random random(testing::seed());
  for (std::size_t bytes = 0; bytes <= kBytesMax; ++bytes) {
    const std::string own = random.bytes(bytes);
    EXPECT_TRUE(equal_bytes(own.data(), own.data(), bytes));
    for (std::size_t at = 0; at < bytes; ++at) {
      std::string other = own;
      other[at] = static_cast<char>(other[at] ^ 1);
      EXPECT_FALSE(equal_bytes(other.data(), own.data(), bytes)) << at << " of " << bytes;
      EXPECT_FALSE(plain::equal_bytes(other.data(), own.data(), bytes));
    }
  }
}

TEST(Racy, LoadsTheWordsItStores) {
  char bytes[24] = {};
  store_word<std::uint64_t>(bytes + 1, 0x0123'4567'89ab'cdef);
  store_word<std::uint32_t>(bytes + 11, 0xdead'beef);
  EXPECT_EQ(load_u64(bytes + 1), 0x0123'4567'89ab'cdefU);
  EXPECT_EQ(load_u32(bytes + 11), 0xdead'beefU);
  EXPECT_EQ(plain::load_word<std::uint64_t>(bytes + 1), load_u64(bytes + 1));
  EXPECT_EQ(bytes[0], 0);
  EXPECT_EQ(bytes[9], 0);
}

}  // namespace
}  // namespace ashlar::base::racy
