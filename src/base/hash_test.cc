// What the index relies on: one key, one hash; another seed, another hash; and no bits that keys of
// one pattern share.

#include "base/hash.h"

#include <gtest/gtest.h>

#include <bitset>
#include <cstdint>
#include <set>
#include <string>

namespace ashlar::base {
namespace {

TEST(Hash, DependsOnKeyAndSeedOnly) {
  const std::string key = "some key";
  EXPECT_EQ(hash_key(key, 1), hash_key(std::string(key), 1));
  EXPECT_NE(hash_key(key, 1), hash_key(key, 2));
  EXPECT_NE(hash_key(key, 1), hash_key("some kez", 1));
  EXPECT_NE(hash_key(std::string_view("a\0", 2), 1), hash_key("a", 1));
}

// Numbered keys: buckets (low bits) and tags (high bits) both fill evenly.
TEST(Hash, SpreadsNumberedKeysOverLowAndHighBits) {
  std::set<std::uint64_t> hashes;
  std::bitset<256> low;
  std::bitset<256> high;
  for (int i = 0; i < 4096; ++i) {
    const std::uint64_t hash = hash_key("key:" + std::to_string(i), 7);
    hashes.insert(hash);
    low.set(hash & 0xff);
    high.set(hash >> 56U);
  }
  EXPECT_EQ(hashes.size(), 4096U);
  EXPECT_GE(low.count(), 250U);
  EXPECT_GE(high.count(), 250U);
}

}  // namespace
}  // namespace ashlar::base
