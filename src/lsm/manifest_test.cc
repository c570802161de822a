// What an opening relies on: a manifest is read as it was written or refused, with file and offset.

#include "lsm/manifest.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/coding.h"
#include "base/hash.h"
#include "lsm/lsm_rig_test.h"

namespace ashlar::lsm {
namespace {

const std::string kPath = "db/0000000007.manifest";

Manifest sample() {
  Version version;
  version = with(version, 0, info_of(8, {"a", "m"}));
  version = with(version, 0, info_of(9, {std::string("\0", 1), std::string(300, '\xff')}));
  version = with(version, 1, info_of(5, {"a", "c"}));
  TableInfo expiring = info_of(4, {"d", "f"});
  expiring.erase_count = 3;
  expiring.expiring_count = 2;
  expiring.earliest_deadline_ms = -5;
  version = with(version, 1, expiring);
  version = with(version, 6, info_of(2, {"d", "d"}, std::uint64_t{1} << 40U));
  Manifest manifest{.database_id = 1,
                    .hash_seed = ~std::uint64_t{0},
                    .next_file_number = 10,
                    .last_sequence = 77,
                    .log_place = {.position = 4096, .chain = 3, .commit = 8}};
  manifest.set_tables(version);
  return manifest;
}

/// `bytes` with the length and the checksum that it should have.
std::string sealed(std::string bytes) {
  base::store_number(bytes.data() + 16, std::uint64_t{bytes.size()});
  const std::string_view covered = std::string_view(bytes).substr(0, bytes.size() - 8);
  base::store_number(bytes.data() + covered.size(), base::hash_key(covered, 0));
  return bytes;
}

TEST(Manifest, IsReadAsItWasWritten) {
  const auto read = decode_manifest(encode_manifest(sample()), kPath);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, sample());
  EXPECT_EQ(*decode_manifest(encode_manifest(Manifest{}), kPath), Manifest{});
}

// The format does not change by accident: docs/formats/manifest.md has these bytes.
TEST(Manifest, HasTheBytesOfItsDescription) {
  Manifest manifest{.database_id = 1, .hash_seed = 2, .next_file_number = 4, .last_sequence = 5};
  manifest.log_place = {.position = 6, .chain = 7, .commit = 8};
  TableInfo table = info_of(3, {"a", "bc"}, 300);
  manifest.tables = {{.level = 1, .table = table}};
  const std::string bytes = encode_manifest(manifest);
  ASSERT_EQ(bytes.size(), 80U + 21U + 8U);
  EXPECT_EQ(bytes.substr(0, 8), "ashlrman");
  EXPECT_EQ(base::load_number<std::uint32_t>(bytes.data() + 8), 1U);
  EXPECT_EQ(base::load_number<std::uint32_t>(bytes.data() + 12), 7U);
  const std::vector<std::uint64_t> fields = {bytes.size(), 1, 2, 4, 5, 6, 8, 1};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    EXPECT_EQ(base::load_number<std::uint64_t>(bytes.data() + 16 + 8 * i), fields[i]) << i;
  }
  EXPECT_EQ(bytes.substr(80, 21), std::string("\x01\x03\x03\xac\x02\x0a\x00\x00"
                                              "\xff\xff\xff\xff\xff\xff\xff\x7f"
                                              "\x01"
                                              "a\x02"
                                              "bc",
                                              21));
}

// V5
TEST(Manifest, RefusesEverySingleFlippedBit) {
  const std::string good = encode_manifest(sample());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const auto read = decode_manifest(bytes, kPath);
    ASSERT_FALSE(read.has_value()) << "bit " << bit;
    ASSERT_EQ(read.error().code(), ErrorCode::kCorruption);
    ASSERT_TRUE(read.error().message().starts_with(kPath + " at ")) << read.error().message();
  }
}

// V5
TEST(Manifest, RefusesEveryTruncation) {
  const std::string good = encode_manifest(sample());
  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    ASSERT_FALSE(decode_manifest(good.substr(0, bytes), kPath).has_value()) << bytes;
  }
  EXPECT_FALSE(decode_manifest(good + '\0', kPath).has_value());
}

// V6: with a checksum that is right, every truncation and every byte of another value is either
// refused or the one form of what it says.
TEST(Manifest, RefusesNonsenseWithAGoodChecksum) {
  const std::string good = encode_manifest(sample());
  for (std::size_t bytes = 88; bytes < good.size(); ++bytes) {
    ASSERT_FALSE(decode_manifest(sealed(good.substr(0, bytes)), kPath).has_value()) << bytes;
  }
  for (std::size_t at = 0; at + 8 < good.size(); ++at) {
    for (const char value : {'\0', '\x01', '\x7f', '\x80', '\xff'}) {
      std::string bytes = good;
      bytes[at] = value;
      bytes = sealed(bytes);
      const auto read = decode_manifest(bytes, kPath);
      ASSERT_EQ(read ? encode_manifest(*read) : bytes, bytes) << "byte " << at;
    }
  }
}

/// What is said about `manifest`, which cannot be written, once it has been.
std::string refusal_of(const std::function<void(std::string&)>& change) {
  std::string bytes = encode_manifest(sample());
  change(bytes);
  const auto read = decode_manifest(sealed(bytes), kPath);
  return read ? "" : std::string(read.error().message());
}

// V6
TEST(Manifest, SaysWhereItMakesNoSense) {
  EXPECT_EQ(refusal_of([](std::string& bytes) { bytes[80] = 7; }),
            kPath + " at 80: a table is in a level beyond all");
  EXPECT_EQ(refusal_of([](std::string& bytes) { bytes[81] = 10; }),
            kPath + " at 80: a table has a number that no file has yet");
  EXPECT_EQ(refusal_of([](std::string& bytes) { bytes[8] = 2; }),
            kPath + " at 8: version 2 of the format is not known");
  EXPECT_NE(refusal_of([](std::string& bytes) { bytes[82] = 1; }).find("not in their order"),
            std::string::npos);
  EXPECT_NE(refusal_of([](std::string& bytes) { bytes[72] = 4; }).find("behind the last table"),
            std::string::npos);
}

TEST(ManifestDeathTest, IsNotWrittenWhenItCouldNotBeRead) {
  Manifest manifest = sample();
  manifest.next_file_number = 2;
  EXPECT_DEATH(encode_manifest(manifest), "V6");
}

}  // namespace
}  // namespace ashlar::lsm
