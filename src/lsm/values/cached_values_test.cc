// Large values in the cache of blocks: found by their whole reference, loaded once, gone with their
// piece, and never in the way of a read.

#include "lsm/values/cached_values.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

constexpr std::size_t kStride = 4096;
constexpr std::size_t kStretch = kStride * 1024;
constexpr std::size_t kCacheBytes = std::size_t{8} << 20U;

class CachedValuesTest : public ::testing::Test {
 protected:
  explicit CachedValuesTest(std::size_t budget_bytes = std::size_t{32} << 20U)
      : budget_(budget_bytes), cache_(*table::BlockCache::make(budget_, domain_, kCacheBytes)) {}

  /// The one value that can stand at a position.
  static std::string value_at(const engine::ValueReference& reference) {
    return testing::Random(reference.position).bytes(reference.bytes);
  }
  static engine::ValueReference reference_to(std::uint64_t position, std::uint64_t bytes) {
    engine::ValueReference reference{.position = position, .bytes = bytes};
    reference.checksum = engine::value_checksum(engine::value_hash(value_at(reference)), position);
    return reference;
  }

  /// Reads a value and proves it. Returns: whether it was in memory
  bool read(const engine::ValueReference& reference) {
    std::array<char, engine::ValueReference::kBytes> stored{};
    engine::encode_value_reference(reference, stored.data());
    bool is_loaded = false;
    Value value;
    const auto done = values_->read({stored.data(), stored.size()}, reference, value,
                                    [&](std::span<char> to) -> Result<void> {
                                      is_loaded = true;
                                      value_at(reference).copy(to.data(), to.size());
                                      return {};
                                    });
    EXPECT_TRUE(done.has_value());
    EXPECT_EQ(value.view(), value_at(reference));
    return !is_loaded;
  }

  base::MemoryBudget budget_;
  base::EpochDomain domain_;
  std::unique_ptr<table::BlockCache> cache_;
  std::unique_ptr<CachedValues> values_ = std::make_unique<CachedValues>(*cache_, domain_, kStride);
};

TEST_F(CachedValuesTest, FindsWhatWasReadAndNothingElse) {
  const auto first = reference_to(100, kStride);
  const auto behind = reference_to(100 + kStride, 100'000);
  EXPECT_FALSE(read(first));
  EXPECT_FALSE(read(behind));
  EXPECT_TRUE(read(first));
  EXPECT_TRUE(read(behind));
  cache_->check();
}

TEST_F(CachedValuesTest, KeepsNeitherShortNorVeryLongOnes) {
  for (const std::uint64_t bytes : {std::uint64_t{kStride - 1}, std::uint64_t{1},
                                    std::uint64_t{CachedValues::kValueBytesMax + 1}}) {
    EXPECT_FALSE(read(reference_to(0, bytes)));
    EXPECT_FALSE(read(reference_to(0, bytes))) << bytes;
  }
}

// A directory that was tampered with may have two references to one place: neither gets the other's
// bytes, or more than there are.
TEST_F(CachedValuesTest, NeverTakesOneReferenceForAnother) {
  const auto kept = reference_to(0, 2 * kStride);
  EXPECT_FALSE(read(kept));
  EXPECT_FALSE(read(reference_to(0, 20 * kStride)));
  EXPECT_FALSE(read(reference_to(8, kStride)));
  EXPECT_TRUE(read(kept));
}

TEST_F(CachedValuesTest, KeepsNothingOfALoadThatFails) {
  const auto reference = reference_to(0, kStride);
  std::array<char, engine::ValueReference::kBytes> stored{};
  engine::encode_value_reference(reference, stored.data());
  Value value;
  const auto failed = values_->read(
      {stored.data(), stored.size()}, reference, value, [](std::span<char>) -> Result<void> {
        return std::unexpected(Error::of_literal(ErrorCode::kCorruption, "damaged"));
      });
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().message(), "damaged");
  EXPECT_FALSE(read(reference));
  EXPECT_TRUE(read(reference));
}

// Stretches go that no piece touches, with what was kept of them; a piece may end or begin in one.
TEST_F(CachedValuesTest, LetsGoOfPiecesThatAreGone) {
  const std::array values{reference_to(0, kStride), reference_to(kStretch, kStride),
                          reference_to(3 * kStretch, kStride),
                          reference_to(engine::kCollectedBit + 40, kStride)};
  for (const auto& value : values) EXPECT_FALSE(read(value));
  const std::array pieces{
      engine::ValuePiece{.first = kStretch / 2, .end = kStretch},
      engine::ValuePiece{.first = 2 * kStretch, .end = 3 * kStretch + 1},
      engine::ValuePiece{.first = engine::kCollectedBit, .end = engine::kCollectedBit + 10'000}};
  values_->keep_only(pieces);
  EXPECT_TRUE(read(values[0]));
  EXPECT_TRUE(read(values[2]));
  EXPECT_TRUE(read(values[3]));
  EXPECT_FALSE(read(values[1])) << "nobody has it any more";
  cache_->check();
  values_->keep_only({});
  for (const auto& value : values) EXPECT_FALSE(read(value));
}

// M1: all that is kept is in the budget and within the capacity, and comes back.
TEST_F(CachedValuesTest, StaysWithinTheCapacity) {
  testing::Random random(testing::seed());
  int hit_count = 0;
  for (int i = 0; i < 2'000; ++i) {
    const std::uint64_t number = random.below(random.chance(50) ? 8 : 400);
    hit_count += read(reference_to(number * 20 * kStride, kStride + number * 150)) ? 1 : 0;
    ASSERT_LE(cache_->stats().used_bytes, kCacheBytes + (std::size_t{2} << 20U));
  }
  EXPECT_GT(hit_count, 900) << "half of the reads are of eight values";
  values_.reset();
  cache_.reset();
  EXPECT_EQ(budget_.used_bytes(), 0U);
}

/// A budget that has room for the fixed part of a cache and little more.
class CachedValuesWithoutMemory : public CachedValuesTest {
 protected:
  CachedValuesWithoutMemory() : CachedValuesTest(std::size_t{88} << 10U) {}
};

TEST_F(CachedValuesWithoutMemory, ReadsWhatItCannotKeep) {
  const auto value = reference_to(0, 100'000);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(read(value));
}

}  // namespace
}  // namespace ashlar::lsm
