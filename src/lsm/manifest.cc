#include "lsm/manifest.h"

#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"

namespace ashlar::lsm {
namespace {

constexpr std::string_view kMagic = "ashlrman";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kHeaderBytes = 80;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kFileBytesOffset = 16;

void append_key(std::string& to, std::string_view key) {
  base::append_varint(to, key.size());
  to.append(key);
}

void append_entry(std::string& to, const Manifest::Entry& entry) {
  const TableInfo& table = entry.table;
  base::append_number(to, static_cast<std::uint8_t>(entry.level));
  base::append_varint(to, table.number);
  base::append_varint(to, table.age_rank);
  base::append_varint(to, table.file_bytes);
  base::append_varint(to, table.row_count);
  base::append_varint(to, table.erase_count);
  base::append_varint(to, table.expiring_count);
  base::append_number(to, table.earliest_deadline_ms);
  append_key(to, table.smallest);
  append_key(to, table.largest);
}

/// Takes a key and copies it. No more is allocated than `from` holds.
bool take_key(std::string_view& from, std::string& key) {
  std::uint64_t key_bytes = 0;
  std::string_view bytes;
  if (!base::take_varint(from, key_bytes) || !base::take_bytes(from, key_bytes, bytes)) {
    return false;
  }
  key = bytes;
  return true;
}

bool take_entry(std::string_view& from, Manifest::Entry& entry) {
  std::uint8_t level = 0;
  TableInfo& table = entry.table;
  if (!base::take_number(from, level)) return false;
  entry.level = level;
  return base::take_varint(from, table.number) && base::take_varint(from, table.age_rank) &&
         base::take_varint(from, table.file_bytes) && base::take_varint(from, table.row_count) &&
         base::take_varint(from, table.erase_count) &&
         base::take_varint(from, table.expiring_count) &&
         base::take_number(from, table.earliest_deadline_ms) && take_key(from, table.smallest) &&
         take_key(from, table.largest);
}

void append_header(std::string& to, const Manifest& manifest) {
  to.append(kMagic);
  base::append_number(to, kFormatVersion);
  base::append_number(to, manifest.log_place.chain);
  base::append_number(to, std::uint64_t{0});  // The length, once it is known.
  base::append_number(to, manifest.database_id);
  base::append_number(to, manifest.hash_seed);
  base::append_number(to, manifest.next_file_number);
  base::append_number(to, manifest.last_sequence);
  base::append_number(to, manifest.log_place.position);
  base::append_number(to, manifest.log_place.commit);
  base::append_number(to, std::uint64_t{manifest.tables.size()});
}

/// Takes a manifest apart, and knows at which offset it has got stuck.
class Decoder {
 public:
  Decoder(std::string_view bytes, const std::string& path) noexcept : bytes_(bytes), path_(path) {}

  Result<Manifest> operator()() {
    ASHLAR_TRY(check_frame());
    ASHLAR_TRY_ASSIGN(const std::uint64_t table_count, take_header());
    for (std::uint64_t i = 0; i < table_count; ++i) ASHLAR_TRY(take_table());
    if (!rest_.empty()) return damaged("something stands behind the last table");
    ASHLAR_TRY(check_order());
    return std::move(manifest_);
  }

 private:
  std::unexpected<Error> damaged(std::string_view what) const {
    return damaged(what, kHeaderBytes <= bytes_.size() && !rest_.empty()
                             ? static_cast<std::size_t>(rest_.data() - bytes_.data())
                             : bytes_.size());
  }
  std::unexpected<Error> damaged(std::string_view what, std::size_t offset) const {
    return std::unexpected(Error(ErrorCode::kCorruption, path_ + " at " + std::to_string(offset) +
                                                             ": " + std::string(what)));
  }

  /// Whether the bytes are a manifest, all of it and unchanged (V5).
  Result<void> check_frame() {
    if (bytes_.size() < kHeaderBytes + kChecksumBytes) {
      return damaged("the file ends within its header", bytes_.size());
    }
    if (!bytes_.starts_with(kMagic)) return damaged("this is no manifest", 0);
    const auto version = base::load_number<std::uint32_t>(bytes_.data() + kMagic.size());
    if (version != kFormatVersion) {
      return damaged("version " + std::to_string(version) + " of the format is not known",
                     kMagic.size());
    }
    const auto file_bytes = base::load_number<std::uint64_t>(bytes_.data() + kFileBytesOffset);
    if (file_bytes != bytes_.size()) {
      return damaged("the file is not as long as it says", kFileBytesOffset);
    }
    const std::string_view covered = bytes_.substr(0, bytes_.size() - kChecksumBytes);
    const auto checksum = base::load_number<std::uint64_t>(bytes_.data() + covered.size());
    if (base::hash_key(covered, 0) != checksum) {
      return damaged("the checksum is another one", covered.size());
    }
    rest_ = covered.substr(kFileBytesOffset + sizeof(file_bytes));
    return {};
  }

  /// Takes what follows the length. Returns how many tables there are said to be.
  Result<std::uint64_t> take_header() {
    manifest_.log_place.chain = base::load_number<std::uint32_t>(bytes_.data() + kMagic.size() + 4);
    std::uint64_t table_count = 0;
    for (std::uint64_t* const field :
         {&manifest_.database_id, &manifest_.hash_seed, &manifest_.next_file_number,
          &manifest_.last_sequence, &manifest_.log_place.position, &manifest_.log_place.commit,
          &table_count}) {
      if (!base::take_number(rest_, *field)) return damaged("the header is cut short");
    }
    return table_count;
  }

  Result<void> take_table() {
    const auto offset = static_cast<std::size_t>(rest_.data() - bytes_.data());
    Manifest::Entry entry;
    if (!take_entry(rest_, entry)) return damaged("a table is cut short", offset);
    if (entry.level >= kLevelCount) return damaged("a table is in a level beyond all", offset);
    if (const auto valid = entry.table.validate(); !valid) {
      return damaged(valid.error().message(), offset);
    }
    if (entry.table.number >= manifest_.next_file_number) {
      return damaged("a table has a number that no file has yet", offset);
    }
    manifest_.tables.push_back(std::move(entry));
    return {};
  }

  /// Whether the tables make a version, and stand as they stand there (V6).
  Result<void> check_order() const {
    VersionEdit edit;
    for (const Manifest::Entry& entry : manifest_.tables) {
      edit.additions.push_back(
          {.level = entry.level, .table = TableRef(base::make_ref<Table>(entry.table))});
    }
    const Result<Version> version = Version().apply(edit);
    if (!version) return damaged(version.error().message(), kHeaderBytes);
    Manifest in_order;
    in_order.set_tables(*version);
    if (in_order.tables != manifest_.tables) {
      return damaged("the tables are not in their order", kHeaderBytes);
    }
    return {};
  }

  const std::string_view bytes_;
  const std::string& path_;
  std::string_view rest_;  // What has not been taken apart; without the checksum.
  Manifest manifest_;
};

}  // namespace

void Manifest::set_tables(const Version& version) {
  tables.clear();
  for (std::uint32_t level = 0; level < kLevelCount; ++level) {
    for (const TableRef& table : version.tables(level)) {
      tables.push_back({.level = level, .table = table->info()});
    }
  }
}

std::string encode_manifest(const Manifest& manifest) {
  std::string bytes;
  append_header(bytes, manifest);
  ASHLAR_ASSERT(bytes.size() == kHeaderBytes, "the header has its fields and no more");
  for (const Manifest::Entry& entry : manifest.tables) append_entry(bytes, entry);
  base::store_number(bytes.data() + kFileBytesOffset, std::uint64_t{bytes.size() + kChecksumBytes});
  base::append_number(bytes, base::hash_key(bytes, 0));
  ASHLAR_ASSERT(bytes.size() <= kManifestBytesMax, "a manifest stays under its size limit");
  ASHLAR_ASSERT(decode_manifest(bytes, "a manifest to write").has_value(),
                "V6: what is written can be read");
  return bytes;
}

Result<Manifest> decode_manifest(std::string_view bytes, const std::string& path) {
  return Decoder(bytes, path)();
}

}  // namespace ashlar::lsm
