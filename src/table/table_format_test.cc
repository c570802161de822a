// What both ends of a table agree on: bytes pass in their own place only, and a footer or
// properties that do not add up are refused.

#include "table/table_format.h"

#include <gtest/gtest.h>

#include <string>

#include "base/coding.h"
#include "base/hash.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::table {
namespace {

constexpr TableIdentity kIdentity{.database_id = 1, .number = 2, .hash_seed = 3};
constexpr std::uint64_t kOffset = 400;

std::string sealed(std::string bytes, Compression kind = Compression::kNone) {
  const std::size_t count = bytes.size();
  append_trailer(bytes, count, kind, kIdentity, 40);
  return bytes;
}

/// The seed of checksums, as docs/formats/table.md has it.
std::uint64_t seed_at(std::uint64_t offset) {
  std::string place;
  for (const std::uint64_t part :
       {kIdentity.database_id, kIdentity.number, kIdentity.hash_seed, offset}) {
    base::append_number(place, part);
  }
  return base::hash_key(place, 0);
}

TEST(TableTrailer, GivesBackWhatItSealed) {
  for (const std::string& bytes : {std::string("some bytes"), std::string()}) {
    const std::string all = sealed(bytes, Compression::kZstd);
    EXPECT_EQ(all.size(), bytes.size() + kTrailerBytes);
    const auto stored = open_sealed(all, kIdentity, 40);
    ASSERT_TRUE(stored.has_value());
    EXPECT_EQ(stored->bytes, bytes);
    EXPECT_EQ(stored->kind, Compression::kZstd);
  }
}

// G5.
TEST(TableTrailer, PassesInOnePlaceOnly) {
  const std::string all = sealed("some bytes");
  EXPECT_TRUE(open_sealed(all, kIdentity, 40).has_value());
  EXPECT_FALSE(open_sealed(all, kIdentity, 41).has_value());
  for (TableIdentity other : {TableIdentity{.database_id = 9, .number = 2, .hash_seed = 3},
                              TableIdentity{.database_id = 1, .number = 9, .hash_seed = 3},
                              TableIdentity{.database_id = 1, .number = 2, .hash_seed = 9}}) {
    EXPECT_FALSE(open_sealed(all, other, 40).has_value());
  }
}

TEST(TableTrailer, PassesNoFlippedBitAndNoPart) {
  const std::string all = sealed("some bytes", Compression::kLz4);
  for (std::size_t bit = 0; bit < 8 * all.size(); ++bit) {
    std::string damaged = all;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(open_sealed(damaged, kIdentity, 40).has_value()) << "bit " << bit;
  }
  for (std::size_t cut = 0; cut < all.size(); ++cut) {
    EXPECT_FALSE(open_sealed(std::string_view(all).substr(0, cut), kIdentity, 40).has_value());
  }
}

TEST(TableTrailer, RefusesACompressionOfALaterVersion) {
  std::string later = "bytes";
  base::append_number(later, std::uint8_t{4});
  base::append_number(later, base::hash_key(later, seed_at(40)));
  EXPECT_FALSE(open_sealed(later, kIdentity, 40).has_value());
  std::string known = "bytes";
  base::append_number(known, std::uint8_t{3});
  base::append_number(known, base::hash_key(known, seed_at(40)));
  EXPECT_TRUE(open_sealed(known, kIdentity, 40).has_value());
}

class FooterTest : public ::testing::Test {
 protected:
  // Sections of 91, 91, 0 and 73 bytes from 100 to 400 - 9.
  FooterTest() {
    footer_.sections[0] = {.offset = 100, .bytes = 91};
    footer_.sections[1] = {.offset = 200, .bytes = 91};
    footer_.sections[2] = {.offset = 300, .bytes = 0};
    footer_.sections[3] = {.offset = 309, .bytes = 82};
    append_footer(bytes_, footer_, kIdentity, kOffset);
  }

  std::string refusal(const std::string& bytes) const {
    const auto footer = decode_footer(bytes, kIdentity, "t", kOffset);
    return footer ? "none" : std::string(footer.error().message());
  }

  /// `bytes_` with a number changed, under a checksum that says it was meant.
  std::string with(std::size_t at, std::uint64_t number) const {
    std::string bytes = bytes_;
    base::store_number(bytes.data() + at, number);
    const std::string_view covered = std::string_view(bytes).substr(0, 96);
    base::store_number(bytes.data() + 96, base::hash_key(covered, seed_at(kOffset)));
    return bytes;
  }

  TableFooter footer_;
  std::string bytes_;
};

TEST_F(FooterTest, GivesBackWhatWasWritten) {
  ASSERT_EQ(bytes_.size(), kFooterBytes);
  const auto footer = decode_footer(bytes_, kIdentity, "t", kOffset);
  ASSERT_TRUE(footer.has_value());
  EXPECT_EQ(footer->data_bytes(), 100U);
  EXPECT_EQ(footer->section(TableSection::kDictionary).offset, 300U);
  EXPECT_EQ(footer->section(TableSection::kProperties).bytes, 82U);
}

TEST_F(FooterTest, PassesNoFlippedBit) {
  for (std::size_t bit = 0; bit < 8 * bytes_.size(); ++bit) {
    std::string damaged = bytes_;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    EXPECT_NE(refusal(damaged), "none") << "bit " << bit;
  }
}

// G4.
TEST_F(FooterTest, RefusesSectionsThatDoNotAddUp) {
  EXPECT_EQ(refusal(with(0, 1)), "none") << "the checksum of this test is right";
  const std::string what = "t at 400: the sections do not add up to the file";
  for (const std::size_t at : {16U, 24U, 32U, 40U, 48U, 56U, 64U, 72U}) {
    EXPECT_EQ(refusal(with(at, 99)), what) << at;
    EXPECT_EQ(refusal(with(at, ~std::uint64_t{0})), what) << at;
    EXPECT_EQ(refusal(with(at, ~std::uint64_t{0} - 8)), what) << at;
  }
}

TEST_F(FooterTest, SaysWhyItRefuses) {
  EXPECT_EQ(refusal(""), "t at 400: the file is too short for a table");
  EXPECT_EQ(refusal(std::string(kFooterBytes, 'x')), "t at 400: this is not the footer of a table");
  std::string later = bytes_;
  base::store_number(later.data() + 80, std::uint32_t{3});
  EXPECT_EQ(refusal(later), "t at 400: a table of version 3, and this program reads version 2");
  EXPECT_EQ(decode_footer(later, kIdentity, "t", kOffset).error().code(), ErrorCode::kUnavailable);
  std::string other = bytes_;
  base::store_number(other.data() + 8, std::uint64_t{3});
  EXPECT_EQ(refusal(other), "t at 400: the footer is damaged, or that of another table");
  std::string damaged = bytes_;
  damaged[30] = 'x';
  EXPECT_EQ(refusal(damaged), "t at 400: the footer is damaged");
}

TableProperties properties() {
  TableProperties result;
  result.row_count = 10;
  result.erase_count = 2;
  result.expiring_count = 3;
  result.earliest_deadline_ms = 77;
  result.block_count = 4;
  result.raw_bytes = 1000;
  result.compression = Compression::kLz4;
  result.filter_bits_per_key = 10;
  result.filter_bits_per_hash = 6;
  result.smallest_key = std::string("a\0b", 3);
  result.largest_key = "z";
  return result;
}

TEST(TableProperties, ComeBackAsTheyWere) {
  const TableProperties written = properties();
  std::string bytes;
  append_properties(bytes, written);
  const auto read = decode_properties(bytes, 1);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->row_count, 10U);
  EXPECT_EQ(read->erase_count, 2U);
  EXPECT_EQ(read->expiring_count, 3U);
  EXPECT_EQ(read->earliest_deadline_ms, 77);
  EXPECT_EQ(read->block_count, 4U);
  EXPECT_EQ(read->raw_bytes, 1000U);
  EXPECT_EQ(read->compression, Compression::kLz4);
  EXPECT_EQ(read->filter_bits_per_hash, 6);
  EXPECT_EQ(read->smallest_key, written.smallest_key);
  EXPECT_EQ(read->largest_key, "z");
}

TEST(TableProperties, AreRefusedWhenTheyCannotBe) {
  std::string bytes;
  append_properties(bytes, properties());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(decode_properties(std::string_view(bytes).substr(0, cut), 1).has_value());
  }
  EXPECT_FALSE(decode_properties(bytes + '\0', 1).has_value());
  const auto is_refused_with = [&](std::size_t at, std::uint64_t number) {
    std::string changed = bytes;
    base::store_number(changed.data() + at, number);
    return !decode_properties(changed, 1).has_value();
  };
  EXPECT_TRUE(is_refused_with(0, 3)) << "fewer rows than blocks";
  EXPECT_TRUE(is_refused_with(8, 11)) << "more erases than rows";
  EXPECT_TRUE(is_refused_with(16, 9)) << "more deadlines than puts";
  EXPECT_TRUE(is_refused_with(16, 0)) << "a deadline of no row";
  EXPECT_TRUE(is_refused_with(32, 0)) << "no blocks";
  std::string dense = bytes;
  dense[49] = '\x7f';
  EXPECT_FALSE(decode_properties(dense, 1).has_value()) << "a filter of too many bits for a key";
  std::string descending = bytes;
  descending.back() = '\0';
  EXPECT_FALSE(decode_properties(descending, 1).has_value()) << "keys that descend";
}

}  // namespace
}  // namespace ashlar::table
