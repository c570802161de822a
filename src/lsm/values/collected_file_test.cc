// Collected files come back as they were written, and nothing else is taken for one.

#include "lsm/values/collected_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "os/simulated_disk.h"

namespace ashlar::lsm {
namespace {

constexpr const char* kPath = "/0000000007.values";
constexpr CollectedIdentity kIdentity{.database_id = 1, .number = 7};

struct CollectedFileTest : ::testing::Test {
  std::vector<engine::ValueReference> write(const std::vector<std::string>& values) {
    const auto writer = CollectedWriter::create(disk, kPath, kIdentity).value();
    std::vector<engine::ValueReference> references;
    for (const std::string& value : values) {
      references.push_back(writer->add(value, engine::value_hash(value)).value());
    }
    EXPECT_TRUE(writer->finish().has_value());
    return references;
  }
  ErrorCode refusal(const CollectedIdentity& identity = kIdentity) {
    return CollectedFile::open(disk, kPath, identity).error().code();
  }

  os::SimulatedDisk disk;
};

// V43, V40
TEST_F(CollectedFileTest, BringsValuesBackByTheirReferences) {
  const std::vector<std::string> values{"a", std::string(3U << 20U, 'b'), "c"};
  const auto references = write(values);
  const auto file = CollectedFile::open(disk, kPath, kIdentity).value();
  EXPECT_EQ(file->piece().first, collected_position(7, 0));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const engine::ValueReference& reference = references[i];
    ASSERT_TRUE(is_collected(reference.position));
    EXPECT_EQ(collected_number_of(reference.position), 7U);
    std::string read(reference.bytes, '\0');
    ASSERT_TRUE(file->read(collected_offset_of(reference.position), read).has_value());
    EXPECT_EQ(read, values[i]);
    EXPECT_EQ(reference.checksum,
              engine::value_checksum(engine::value_hash(values[i]), reference.position));
  }
  EXPECT_EQ(references.back().end(), file->piece().end);
}

// V43
TEST_F(CollectedFileTest, RefusesEveryOtherFile) {
  EXPECT_EQ(refusal(), ErrorCode::kCorruption) << "it is missing";
  write({"value"});
  EXPECT_EQ(refusal({.database_id = 2, .number = 7}), ErrorCode::kCorruption);
  EXPECT_EQ(refusal({.database_id = 1, .number = 8}), ErrorCode::kCorruption);
  const auto file = os::File::open(disk, kPath, os::OpenMode::kReadWrite).value();
  for (std::uint64_t offset = 0; offset < CollectedFile::kHeaderBytes; ++offset) {
    char byte = 0;
    ASSERT_TRUE(file->read(offset, {&byte, 1}).has_value());
    const char other = static_cast<char>(byte ^ 1);
    ASSERT_TRUE(file->write(offset, {&other, 1}).has_value());
    const ErrorCode code = refusal();
    const bool is_later_version = offset >= 8 && offset < 12;
    EXPECT_EQ(code, is_later_version
                        ? (offset == 8 ? ErrorCode::kCorruption : ErrorCode::kUnavailable)
                        : ErrorCode::kCorruption)
        << offset;
    ASSERT_TRUE(file->write(offset, {&byte, 1}).has_value());
  }
  ASSERT_TRUE(file->truncate(CollectedFile::kHeaderBytes - 1).has_value());
  EXPECT_EQ(refusal(), ErrorCode::kCorruption);
}

TEST(CollectedName, IsThatOfANumber) {
  EXPECT_EQ(collected_name(42), "0000000042.values");
  EXPECT_EQ(collected_number("0000000042.values"), 42U);
  EXPECT_EQ(collected_number("42.values"), std::nullopt);
}

}  // namespace
}  // namespace ashlar::lsm
