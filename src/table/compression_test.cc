// What tables rely on: what was compressed comes back exactly, what does not shrink is left as it
// is, and stored bytes that are nonsense are refused within the memory that was given.

#include "table/compression.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "table/block_layout.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::table {
namespace {

std::string text(testing::Random& random, std::size_t bytes) {
  static constexpr std::string_view kWords[] = {
      "name=", "address=", "street ", "\"id\": ", "London", "2026-11-", "true, ", "null"};
  std::string result;
  while (result.size() < bytes) {
    result += kWords[random.below(8)];
    result += std::to_string(random.below(1000));
  }
  result.resize(bytes);
  return result;
}

std::string decompressed(const Decompressor& decompressor, Compression kind,
                         std::string_view stored, std::size_t raw_bytes) {
  std::string raw(raw_bytes, '\0');
  return decompressor.decompress(kind, stored, raw) ? raw : "refused";
}

class CompressionTest : public ::testing::TestWithParam<Compression> {};

TEST_P(CompressionTest, GivesBackWhatItTook) {
  testing::Random random(testing::seed());
  Compressor compressor(GetParam());
  const Decompressor decompressor = Decompressor::make("").value();
  std::string stored;
  for (int round = 0; round < 200; ++round) {
    const std::size_t bytes = random.between(1, random.chance(95) ? 8192 : 200'000);
    const bool is_noise = random.chance(30);
    const std::string raw = is_noise ? random.bytes(bytes) : text(random, bytes);
    const Compression kind = compressor.compress(raw, stored);
    if (is_noise) {
      ASSERT_EQ(kind, Compression::kNone) << "noise does not shrink";
    }
    ASSERT_TRUE(Decompressor::is_plausible(stored.size(), raw.size()));
    ASSERT_EQ(decompressed(decompressor, kind, stored, raw.size()), raw);
    if (kind != Compression::kNone) {
      ASSERT_LE(stored.size(), raw.size() - raw.size() / 8);
    }
    // One byte more or less is another length.
    ASSERT_EQ(decompressed(decompressor, kind, stored, raw.size() + 1), "refused");
    ASSERT_EQ(decompressed(decompressor, kind, stored, raw.size() - 1), "refused");
  }
}

TEST_P(CompressionTest, ShrinksWhatRepeats) {
  testing::Random random(testing::seed());
  Compressor compressor(GetParam());
  std::string stored;
  const Compression kind = compressor.compress(text(random, 8192), stored);
  if (GetParam() == Compression::kNone) {
    EXPECT_EQ(kind, Compression::kNone);
  } else {
    EXPECT_EQ(kind, GetParam() == Compression::kLz4 ? Compression::kLz4 : Compression::kZstd);
    EXPECT_LT(stored.size(), 5'000U);
  }
}

TEST_P(CompressionTest, SurvivesNonsense) {
  testing::Random random(testing::seed());
  const Decompressor decompressor = Decompressor::make("").value();
  Compressor compressor(GetParam());
  std::string stored;
  const Compression kind = compressor.compress(text(random, 2'000), stored);
  for (int round = 0; round < 3'000; ++round) {
    std::string damaged = stored;
    damaged[random.below(damaged.size())] = static_cast<char>(random.next());
    if (random.chance(20)) damaged.resize(random.below(damaged.size()));
    // Whatever comes out, it stays in its place; the checksum in front of it refuses the rest.
    decompressed(decompressor, kind, damaged, 2'000);
  }
}

INSTANTIATE_TEST_SUITE_P(All, CompressionTest,
                         ::testing::Values(Compression::kNone, Compression::kLz4,
                                           Compression::kZstd, Compression::kZstdDictionary));

class DictionaryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::Random random(testing::seed());
    std::vector<std::size_t> sample_bytes;
    std::string samples;
    for (int i = 0; i < 400; ++i) {
      samples += text(random, 1'000);
      sample_bytes.push_back(1'000);
    }
    dictionary_ = compressor_.train(samples, sample_bytes);
    raw_ = text(random, 400);
    kind_ = compressor_.compress(raw_, stored_);
  }

  Compressor compressor_{Compression::kZstdDictionary};
  std::string dictionary_;
  std::string raw_;
  std::string stored_;
  Compression kind_ = Compression::kNone;
};

TEST_F(DictionaryTest, MakesShortBlocksShorter) {
  ASSERT_FALSE(dictionary_.empty());
  ASSERT_EQ(kind_, Compression::kZstdDictionary);
  const auto with = Decompressor::make(dictionary_);
  ASSERT_TRUE(with.has_value());
  EXPECT_GT(with->bytes(), dictionary_.size());
  EXPECT_EQ(decompressed(*with, kind_, stored_, raw_.size()), raw_);
  std::string without;
  Compressor(Compression::kZstd).compress(raw_, without);
  EXPECT_LT(stored_.size(), without.size());
}

TEST_F(DictionaryTest, IsNeededToReadWhatItShortened) {
  const Decompressor without = Decompressor::make("").value();
  EXPECT_EQ(decompressed(without, kind_, stored_, raw_.size()), "refused");
  EXPECT_FALSE(Decompressor::make("no dictionary at all").has_value());
}

TEST_F(DictionaryTest, IsLeftOutWhenThereIsTooLittleToLearnFrom) {
  Compressor compressor(Compression::kZstdDictionary);
  const std::size_t sample_bytes[] = {5};
  EXPECT_EQ(compressor.train("short", sample_bytes), "");
  std::string stored;
  EXPECT_EQ(compressor.compress(std::string(1000, 'x'), stored), Compression::kZstd);
}

TEST(Decompressor, TellsWhichLengthsCannotBe) {
  EXPECT_TRUE(Decompressor::is_plausible(1, 1));
  EXPECT_TRUE(Decompressor::is_plausible(20, kBlockBytesMax));
  EXPECT_TRUE(Decompressor::is_plausible(100, 1'000'000));
  EXPECT_FALSE(Decompressor::is_plausible(0, 1));
  EXPECT_FALSE(Decompressor::is_plausible(1, 0));
  EXPECT_FALSE(Decompressor::is_plausible(2, 1)) << "nothing is stored longer than it is";
  EXPECT_FALSE(Decompressor::is_plausible(20, std::uint64_t{1} << 28U));
  EXPECT_FALSE(Decompressor::is_plausible(std::uint64_t{1} << 40U, kLoneRowBytesMax + 1));
}

}  // namespace
}  // namespace ashlar::table
