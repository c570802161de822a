// What a restore relies on: a list is read as it was written or refused, with file and offset, and
// nothing in it leads anywhere but to a file of the backup.

#include "db/backup/backup_list.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/coding.h"
#include "base/hash.h"
#include "os/file.h"
#include "os/simulated_disk.h"

namespace ashlar::db {
namespace {

using Kind = BackupFile::Kind;

const std::string kPath = "copies/0000000002.backup";

BackupList sample(Engine engine = Engine::kDisk) {
  BackupList list{.number = 2,
                  .engine = engine,
                  .log_id = ~std::uint64_t{0},
                  .moment_ms = 1'000'000,
                  .begin = {.position = 4104, .chain = 7, .commit = 9},
                  .end = 8192,
                  .last_commit = 12,
                  .files = {}};
  if (engine == Engine::kMemory) {
    list.files = {{Kind::kCheckpoint, 2, 100, 1}, {Kind::kLog, 2, 8192, 2}};
  } else {
    list.files = {{Kind::kTable, 3, 300, 1},
                  {Kind::kTable, 70, std::uint64_t{1} << 40U, 2},
                  {Kind::kManifest, 2, 200, 3},
                  {Kind::kLog, 2, 8192, 4}};
  }
  return list;
}

/// One of a database with values that stand apart from their rows.
BackupList sample_with_values() {
  BackupList list = sample();
  list.files.push_back({Kind::kPiece, 4096, 8192, 5});
  list.files.push_back({Kind::kTail, 2, 8192, 6});
  list.files.push_back({Kind::kCollected, 71, 400, 7});
  return list;
}

/// `bytes` with the length and the checksum that it should have.
std::string sealed(std::string bytes) {
  base::store_number(bytes.data() + 16, std::uint64_t{bytes.size()});
  const std::string_view covered = std::string_view(bytes).substr(0, bytes.size() - 8);
  base::store_number(bytes.data() + covered.size(), base::hash_key(covered, 0));
  return bytes;
}

// K5: with such values a list is of version 2, and knows them by their kinds.
TEST(BackupList, HasTheValuesThatTablesReferTo) {
  const BackupList list = sample_with_values();
  const std::string bytes = encode_backup_list(list);
  EXPECT_EQ(base::load_number<std::uint32_t>(bytes.data() + 8), 2U);
  EXPECT_EQ(base::load_number<std::uint32_t>(encode_backup_list(sample()).data() + 8), 1U);
  const auto read = decode_backup_list(bytes, kPath);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->files, list.files);
  EXPECT_EQ(read->tail()->name(), "0000000002.tail");
  EXPECT_EQ(read->find(Kind::kPiece, 4096)->name(), "0000004096.piece");
  EXPECT_EQ(read->find(Kind::kCollected, 71)->name(), "0000000071.values");
  for (const BackupFile& file : list.files) EXPECT_TRUE(is_backup_file_name(file.name()));
}

TEST(BackupList, IsReadAsItWasWritten) {
  for (const Engine engine : {Engine::kMemory, Engine::kDisk}) {
    const BackupList list = sample(engine);
    const auto read = decode_backup_list(encode_backup_list(list), kPath);
    ASSERT_TRUE(read.has_value()) << read.error().message();
    EXPECT_EQ(read->files, list.files);
    EXPECT_EQ(encode_backup_list(*read), encode_backup_list(list));
  }
}

// The format does not change by accident: docs/formats/backup.md has these bytes.
TEST(BackupList, HasTheBytesOfItsDescription) {
  const std::string bytes = encode_backup_list(sample(Engine::kMemory));
  ASSERT_EQ(bytes.size(), 96U + 2 * 25 + 8);
  EXPECT_EQ(bytes.substr(0, 8), "ashlrbak");
  EXPECT_EQ(base::load_number<std::uint32_t>(bytes.data() + 8), 1U);
  EXPECT_EQ(base::load_number<std::uint32_t>(bytes.data() + 12), 0U);
  const std::vector<std::uint64_t> fields = {
      bytes.size(), 2, ~std::uint64_t{0}, 1'000'000, 4104, 9, 7, 8192, 12, 2};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    EXPECT_EQ(base::load_number<std::uint64_t>(bytes.data() + 16 + 8 * i), fields[i]) << i;
  }
  std::string file("\x03", 1);
  for (const std::uint64_t number : {2U, 100U, 1U}) base::append_number(file, number);
  EXPECT_EQ(bytes.substr(96, 25), file);
}

// K5
TEST(BackupList, RefusesEverySingleFlippedBit) {
  const std::string good = encode_backup_list(sample());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const auto read = decode_backup_list(bytes, kPath);
    ASSERT_FALSE(read.has_value()) << "bit " << bit;
    ASSERT_EQ(read.error().code(), ErrorCode::kCorruption);
    ASSERT_TRUE(read.error().message().starts_with(kPath + " at ")) << read.error().message();
  }
}

// K5
TEST(BackupList, RefusesEveryTruncation) {
  const std::string good = encode_backup_list(sample());
  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    ASSERT_FALSE(decode_backup_list(good.substr(0, bytes), kPath).has_value()) << bytes;
  }
  EXPECT_FALSE(decode_backup_list(good + '\0', kPath).has_value());
}

// K5: with a checksum that is right, what is read has one form.
TEST(BackupList, RefusesNonsenseWithAGoodChecksum) {
  const std::string good = encode_backup_list(sample());
  for (std::size_t bytes = 104; bytes < good.size(); ++bytes) {
    ASSERT_FALSE(decode_backup_list(sealed(good.substr(0, bytes)), kPath).has_value()) << bytes;
  }
  for (std::size_t at = 0; at + 8 < good.size(); ++at) {
    for (const char value : {'\0', '\x01', '\x7f', '\x80', '\xff'}) {
      std::string bytes = good;
      bytes[at] = value;
      bytes = sealed(bytes);
      const auto read = decode_backup_list(bytes, kPath);
      ASSERT_EQ(read ? encode_backup_list(*read) : bytes, bytes) << "byte " << at;
    }
  }
}

/// What is said about the sample once `change` has been at its bytes.
std::string refusal_of(const std::function<void(std::string&)>& change) {
  std::string bytes = encode_backup_list(sample());
  change(bytes);
  const auto read = decode_backup_list(sealed(bytes), kPath);
  return read ? "" : std::string(read.error().message()).substr(kPath.size());
}

// K5
TEST(BackupList, SaysWhereItMakesNoSense) {
  const auto is_refused = [](std::size_t at, char value, const std::string& what) {
    EXPECT_EQ(refusal_of([&](std::string& bytes) { bytes[at] = value; }), what) << at;
  };
  is_refused(8, 3, " at 8: version 3 of the format is not known");
  is_refused(8, 2, " at 8: the version is not the one of lists with these files");
  is_refused(12, 2, " at 12: the engine is not known");
  is_refused(12, 0, " at 96: the files are not those of one database");
  is_refused(24, 0, " at 16: backups are counted from 1");
  is_refused(24, 3, " at 96: a file is of another backup");
  is_refused(48, 1, " at 16: a frame begins at a multiple of 8");
  is_refused(73, 0, " at 16: the log ends before it begins");
  is_refused(88, 5, " at 88: there are not as many files as it says");
  is_refused(96, 9, " at 96: a file is of no kind");
  is_refused(97, 71, " at 96: the files are not in their order");
}

TEST(BackupListDeathTest, IsNotWrittenWhenItCouldNotBeRead) {
  BackupList list = sample();
  list.files.pop_back();
  EXPECT_DEATH(encode_backup_list(list), "K5");
}

TEST(BackupFile, IsNamedAsInADatabase) {
  EXPECT_EQ((BackupFile{Kind::kTable, 42, 0, 0}.name()), "0000000042.table");
  EXPECT_EQ((BackupFile{Kind::kManifest, 1, 0, 0}.name()), "0000000001.manifest");
  EXPECT_EQ((BackupFile{Kind::kCheckpoint, 1, 0, 0}.name()), "0000000001.checkpoint");
  EXPECT_EQ((BackupFile{Kind::kLog, 1, 0, 0}.name()), "0000000001.log");
  for (const BackupFile& file : sample().files) EXPECT_TRUE(is_backup_file_name(file.name()));
  EXPECT_FALSE(is_backup_file_name("../0000000042.table"));
  EXPECT_FALSE(is_backup_file_name("0000000042.backup"));
}

TEST(BackupList, IsReadUnderItsOwnNumberOnly) {
  os::SimulatedDisk disk;
  EXPECT_EQ(backup_list_name(2), "0000000002.backup");
  EXPECT_EQ(backup_list_number("0000000002.backup"), 2U);
  EXPECT_EQ(backup_list_number("0000000000.backup"), std::nullopt);
  const auto refusal = [&](std::uint64_t number) {
    const auto read = read_backup_list(disk, "/list", number);
    return read ? "" : std::string(read.error().message());
  };
  EXPECT_EQ(refusal(2), "/list at 0: the file is missing");
  const auto file = os::File::open(disk, "/list", os::OpenMode::kCreate);
  ASSERT_TRUE((*file)->write(0, encode_backup_list(sample())).has_value());
  EXPECT_EQ(refusal(2), "");
  EXPECT_EQ(refusal(1), "/list at 0: the list is that of another backup");
}

}  // namespace
}  // namespace ashlar::db
