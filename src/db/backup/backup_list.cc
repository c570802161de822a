#include "db/backup/backup_list.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"
#include "base/numbered_name.h"
#include "db/checkpoint_store.h"
#include "db/values/value_store.h"
#include "log/segment.h"
#include "lsm/manifest_store.h"
#include "lsm/table_store.h"
#include "lsm/values/collected_file.h"
#include "os/file.h"

namespace ashlar::db {
namespace {

//     offset  size  field
//          0     8  magic "ashlrbak"
//          8     4  version
//         12     4  engine
//         16     8  bytes of the file
//         24     8  number
//         32     8  log id
//         40     8  moment
//         48     8  begin: position
//         56     8  begin: commit
//         64     4  begin: chain
//         68     4  zero
//         72     8  end
//         80     8  last commit
//         88     8  number of files
constexpr std::string_view kMagic = "ashlrbak";
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kVersionWithoutValues = 1;
constexpr std::size_t kHeaderBytes = 96;
constexpr std::size_t kFileBytesOffset = 16;
constexpr std::size_t kFileEntryBytes = 25;
constexpr std::size_t kChecksumBytes = 8;

constexpr std::string_view kSuffix = ".backup";
constexpr std::string_view kTailSuffix = ".tail";

using Kind = BackupFile::Kind;
constexpr std::size_t kKindCount = static_cast<std::size_t>(Kind::kCollected) + 1;

bool is_of_values(const BackupFile& file) noexcept {
  return file.kind > Kind::kLog;
}

void append_file(std::string& to, const BackupFile& file) {
  base::append_number(to, static_cast<std::uint8_t>(file.kind));
  base::append_number(to, file.number);
  base::append_number(to, file.bytes);
  base::append_number(to, file.checksum);
}

/// What is wrong with the figures of `list`; empty: nothing.
std::string_view fault_of(const BackupList& list) noexcept {
  if (list.number == 0) return "backups are counted from 1";
  if (list.begin.position % 8 != 0 || list.end % 8 != 0) return "a frame begins at a multiple of 8";
  if (list.begin.position > list.end || list.begin.commit > list.last_commit) {
    return "the log ends before it begins";
  }
  return {};
}

/// The same of its files.
std::string_view fault_of_files(const BackupList& list) noexcept {
  const bool is_of_tables = list.engine == Engine::kDisk;
  std::array<std::uint64_t, kKindCount> counts = {};
  const BackupFile* before = nullptr;
  for (const BackupFile& file : list.files) {
    if (file.kind < Kind::kTable || file.kind > Kind::kCollected) return "a file is of no kind";
    const bool is_ascending = before == nullptr || before->kind < file.kind ||
                              (before->kind == file.kind && before->number < file.number);
    if (!is_ascending) return "the files are not in their order";
    if (!file.has_own_number() && file.number != list.number) {
      return "a file is of another backup";
    }
    ++counts[static_cast<std::size_t>(file.kind)];
    before = &file;
  }
  const auto count = [&](Kind kind) { return counts[static_cast<std::size_t>(kind)]; };
  const std::uint64_t count_of_values =
      count(Kind::kPiece) + count(Kind::kTail) + count(Kind::kCollected);
  const bool is_whole = count(Kind::kLog) == 1 &&
                        count(Kind::kManifest) == (is_of_tables ? 1U : 0U) &&
                        count(Kind::kCheckpoint) == (is_of_tables ? 0U : 1U) &&
                        (is_of_tables || count(Kind::kTable) + count_of_values == 0);
  return is_whole ? std::string_view() : "the files are not those of one database";
}

/// Takes a list apart.
class Decoder {
 public:
  Decoder(std::string_view bytes, const std::string& path) noexcept : bytes_(bytes), path_(path) {}

  Result<BackupList> operator()() {
    ASHLAR_TRY(check_frame());
    ASHLAR_TRY(take_header());
    ASHLAR_TRY(take_files());
    if (const auto fault = fault_of(list_); !fault.empty()) return damaged(fault, kFileBytesOffset);
    if (const auto fault = fault_of_files(list_); !fault.empty()) {
      return damaged(fault, kHeaderBytes);
    }
    const bool has_values = std::ranges::any_of(list_.files, is_of_values);
    if ((load<std::uint32_t>(8) == kVersion) != has_values) {
      return damaged("the version is not the one of lists with these files", 8);
    }
    return std::move(list_);
  }

 private:
  std::unexpected<Error> damaged(std::string_view what, std::size_t offset) const {
    return std::unexpected(Error(ErrorCode::kCorruption, path_ + " at " + std::to_string(offset) +
                                                             ": " + std::string(what)));
  }
  template <typename Number>
  Number load(std::size_t offset) const noexcept {
    return base::load_number<Number>(bytes_.data() + offset);
  }

  /// Whether the bytes are a list, all of it and unchanged.
  Result<void> check_frame() {
    if (bytes_.size() < kHeaderBytes + kChecksumBytes) {
      return damaged("the file ends within its header", bytes_.size());
    }
    if (!bytes_.starts_with(kMagic)) return damaged("this is no list of a backup", 0);
    const auto version = load<std::uint32_t>(8);
    if (version != kVersion && version != kVersionWithoutValues) {
      return damaged("version " + std::to_string(version) + " of the format is not known", 8);
    }
    if (load<std::uint64_t>(kFileBytesOffset) != bytes_.size()) {
      return damaged("the file is not as long as it says", kFileBytesOffset);
    }
    const std::string_view covered = bytes_.substr(0, bytes_.size() - kChecksumBytes);
    if (base::hash_key(covered, 0) != load<std::uint64_t>(covered.size())) {
      return damaged("the checksum is another one", covered.size());
    }
    return {};
  }

  Result<void> take_header() {
    const auto engine = load<std::uint32_t>(12);
    if (engine > 1) return damaged("the engine is not known", 12);
    if (load<std::uint32_t>(68) != 0) return damaged("what is not used is not zero", 68);
    list_.engine = engine == 1 ? Engine::kDisk : Engine::kMemory;
    list_.number = load<std::uint64_t>(24);
    list_.log_id = load<std::uint64_t>(32);
    list_.moment_ms = load<std::int64_t>(40);
    list_.begin = {.position = load<std::uint64_t>(48),
                   .chain = load<std::uint32_t>(64),
                   .commit = load<std::uint64_t>(56)};
    list_.end = load<std::uint64_t>(72);
    list_.last_commit = load<std::uint64_t>(80);
    return {};
  }

  Result<void> take_files() {
    const std::size_t file_bytes = bytes_.size() - kHeaderBytes - kChecksumBytes;
    const auto count = load<std::uint64_t>(88);
    if (file_bytes % kFileEntryBytes != 0 || count != file_bytes / kFileEntryBytes) {
      return damaged("there are not as many files as it says", 88);
    }
    list_.files.reserve(count);
    for (std::size_t at = kHeaderBytes; list_.files.size() < count; at += kFileEntryBytes) {
      list_.files.push_back({.kind = static_cast<Kind>(load<std::uint8_t>(at)),
                             .number = load<std::uint64_t>(at + 1),
                             .bytes = load<std::uint64_t>(at + 9),
                             .checksum = load<std::uint64_t>(at + 17)});
    }
    return {};
  }

  const std::string_view bytes_;
  const std::string& path_;
  BackupList list_;
};

}  // namespace

std::string BackupFile::name() const {
  switch (kind) {
    case Kind::kTable:
      return lsm::table_name(number);
    case Kind::kManifest:
      return lsm::manifest_name(number);
    case Kind::kCheckpoint:
      return checkpoint_name(number);
    case Kind::kLog:
      return log::segment_name(number);
    case Kind::kPiece:
      return kept_piece_name(number);
    case Kind::kTail:
      return base::numbered_name(number, kTailSuffix);
    case Kind::kCollected:
      return lsm::collected_name(number);
  }
  ASHLAR_ASSERT(false, "a file is of one of seven kinds");
}

const BackupFile& BackupList::only(BackupFile::Kind kind) const noexcept {
  ASHLAR_ASSERT(kind != Kind::kTable, "there may be any number of tables");
  const auto found = std::ranges::find(files, kind, &BackupFile::kind);
  ASHLAR_ASSERT(found != files.end(), "K5: a list has the files that its engine needs");
  return *found;
}

const BackupFile* BackupList::find(Kind kind, std::uint64_t file_number) const noexcept {
  const auto found = std::ranges::find_if(files, [&](const BackupFile& file) {
    return file.kind == kind && file.number == file_number;
  });
  return found == files.end() ? nullptr : &*found;
}

std::uint64_t BackupList::file_bytes() const noexcept {
  std::uint64_t bytes = 0;
  for (const BackupFile& file : files) bytes += file.bytes;
  return bytes;
}

std::string backup_list_name(std::uint64_t number) {
  return base::numbered_name(number, kSuffix);
}

std::optional<std::uint64_t> backup_list_number(std::string_view name) {
  const auto number = base::number_in_name(name, kSuffix);
  return number != 0U ? number : std::nullopt;
}

bool is_backup_file_name(std::string_view name) {
  return lsm::table_number(name) || lsm::manifest_number(name) || checkpoint_number(name) ||
         log::segment_number(name) || kept_piece_first(name) || lsm::collected_number(name) ||
         base::number_in_name(name, kTailSuffix);
}

std::string encode_backup_list(const BackupList& list) {
  std::string bytes(kMagic);
  const bool has_values = std::ranges::any_of(list.files, is_of_values);
  base::append_number(bytes, has_values ? kVersion : kVersionWithoutValues);
  base::append_number(bytes, std::uint32_t{list.engine == Engine::kDisk ? 1U : 0U});
  base::append_number(
      bytes, std::uint64_t{kHeaderBytes + kFileEntryBytes * list.files.size() + kChecksumBytes});
  base::append_number(bytes, list.number);
  base::append_number(bytes, list.log_id);
  base::append_number(bytes, list.moment_ms);
  base::append_number(bytes, list.begin.position);
  base::append_number(bytes, list.begin.commit);
  base::append_number(bytes, list.begin.chain);
  base::append_number(bytes, std::uint32_t{0});
  base::append_number(bytes, list.end);
  base::append_number(bytes, list.last_commit);
  base::append_number(bytes, std::uint64_t{list.files.size()});
  ASHLAR_ASSERT(bytes.size() == kHeaderBytes, "the header has its fields and no more");
  for (const BackupFile& file : list.files) append_file(bytes, file);
  base::append_number(bytes, base::hash_key(bytes, 0));
  ASHLAR_ASSERT(decode_backup_list(bytes, "a list to write").has_value(),
                "K5: what is written can be read");
  return bytes;
}

Result<BackupList> decode_backup_list(std::string_view bytes, const std::string& path) {
  return Decoder(bytes, path)();
}

Result<BackupList> read_backup_list(os::Disk& disk, const std::string& path, std::uint64_t number) {
  const auto damaged = [&](const char* what) {
    return std::unexpected(Error(ErrorCode::kCorruption, path + " at 0: " + what));
  };
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, path, os::OpenMode::kRead));
  if (file == nullptr) return damaged("the file is missing");
  ASHLAR_TRY_ASSIGN(const std::uint64_t file_bytes, file->size());
  if (file_bytes > kBackupListBytesMax) return damaged("the file is too long for a list");
  std::string bytes(file_bytes, '\0');
  ASHLAR_TRY(file->read(0, bytes));
  ASHLAR_TRY_ASSIGN(BackupList list, decode_backup_list(bytes, path));
  if (list.number != number) return damaged("the list is that of another backup");
  return list;
}

}  // namespace ashlar::db
