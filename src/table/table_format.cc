#include "table/table_format.h"

#include <algorithm>

#include "ashlar/options.h"
#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"
#include "table/filter.h"

namespace ashlar::table {
namespace {

//     offset  size  field of the footer
//          0     8  database id
//          8     8  file number
//         16    64  offset and bytes of filter, index, dictionary, properties
//         80     4  version
//         84     4  zero
//         88     8  zero
//         96     8  checksum of the bytes before
//        104     8  magic
constexpr std::size_t kVersionOffset = 80;
constexpr std::size_t kChecksumOffset = 96;
constexpr std::size_t kMagicOffset = 104;
static_assert(kMagicOffset + kTableMagic.size() == kFooterBytes, "the magic is the end of a file");

constexpr std::size_t kIdentityBytes = 32;

/// The seed of checksums at one place of one file (G5).
std::uint64_t seed_of(const TableIdentity& identity, std::uint64_t offset) noexcept {
  char place[kIdentityBytes];
  base::store_number(place, identity.database_id);
  base::store_number(place + 8, identity.number);
  base::store_number(place + 16, identity.hash_seed);
  base::store_number(place + 24, offset);
  return base::hash_key({place, sizeof(place)}, 0);
}

bool is_known(std::uint8_t kind) noexcept {
  return kind <= static_cast<std::uint8_t>(Compression::kZstdDictionary);
}

/// Whether the sections follow each other up to `end`, with their trailers between them (G4).
bool is_back_to_back(const TableFooter& footer, std::uint64_t end) noexcept {
  std::uint64_t offset = footer.data_bytes();
  for (const TableFooter::Handle& section : footer.sections) {
    if (section.offset != offset || offset > end) return false;
    if (end - offset < kTrailerBytes || section.bytes > end - offset - kTrailerBytes) return false;
    offset += section.bytes + kTrailerBytes;
  }
  return offset == end;
}

bool is_legal_key(std::string_view key) noexcept {
  return !key.empty() && key.size() <= kKeyBytesHardMax;
}

/// Whether the numbers can be those of one table.
bool is_consistent(const TableProperties& properties) noexcept {
  if (properties.block_count == 0 || properties.row_count < properties.block_count) return false;
  if (properties.erase_count > properties.row_count) return false;
  if (properties.expiring_count > properties.row_count - properties.erase_count) return false;
  if (properties.expiring_count == 0 && properties.earliest_deadline_ms != engine::kNever) {
    return false;
  }
  if (properties.filter_bits_per_key > kFilterBitsMax) return false;
  return is_legal_key(properties.smallest_key) && is_legal_key(properties.largest_key) &&
         properties.smallest_key <= properties.largest_key;
}

/// Whether the shares ascend and none is of nothing.
bool is_in_order(const std::vector<ValueShare>& shares) noexcept {
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i].bytes == 0) return false;
    if (i > 0 && shares[i - 1].first >= shares[i].first) return false;
  }
  return true;
}

void append_shares(std::string& to, const std::vector<ValueShare>& shares) {
  base::append_varint(to, shares.size());
  for (const ValueShare& share : shares) {
    base::append_number(to, share.first);
    base::append_varint(to, share.bytes);
  }
}

/// No more is allocated than `from` holds.
bool take_shares(std::string_view& from, std::vector<ValueShare>& shares) {
  std::uint64_t count = 0;
  if (!base::take_varint(from, count) || count == 0) return false;
  for (; count > 0; --count) {
    ValueShare share;
    if (!base::take_number(from, share.first) || !base::take_varint(from, share.bytes))
      return false;
    shares.push_back(share);
  }
  return is_in_order(shares);
}

bool take_text(std::string_view& from, std::string& text) {
  std::uint64_t bytes = 0;
  std::string_view view;
  if (!base::take_varint(from, bytes) || !base::take_bytes(from, bytes, view)) return false;
  text = view;
  return true;
}

}  // namespace

Error table_damage(std::string_view path, std::uint64_t offset, std::string_view what) {
  return {ErrorCode::kCorruption,
          std::string(path) + " at " + std::to_string(offset) + ": " + std::string(what)};
}

void append_trailer(std::string& to, std::size_t bytes, Compression kind,
                    const TableIdentity& identity, std::uint64_t offset) {
  ASHLAR_ASSERT(bytes <= to.size(), "what is sealed has been written");
  base::append_number(to, static_cast<std::uint8_t>(kind));
  const std::string_view covered = std::string_view(to).substr(to.size() - bytes - 1);
  base::append_number(to, base::hash_key(covered, seed_of(identity, offset)));
  ASHLAR_DEBUG_ASSERT(
      open_sealed(std::string_view(to).substr(to.size() - bytes - kTrailerBytes), identity, offset),
      "G5: what is sealed passes in its place");
}

std::optional<StoredBlock> open_sealed(std::string_view sealed, const TableIdentity& identity,
                                       std::uint64_t offset) noexcept {
  if (sealed.size() < kTrailerBytes) return std::nullopt;
  const std::string_view covered = sealed.substr(0, sealed.size() - 8);
  const auto checksum = base::load_number<std::uint64_t>(sealed.data() + covered.size());
  if (base::hash_key(covered, seed_of(identity, offset)) != checksum) return std::nullopt;
  const auto kind = static_cast<std::uint8_t>(covered.back());
  if (!is_known(kind)) return std::nullopt;
  return StoredBlock{.bytes = covered.substr(0, covered.size() - 1),
                     .kind = static_cast<Compression>(kind)};
}

void append_footer(std::string& to, const TableFooter& footer, const TableIdentity& identity,
                   std::uint64_t offset) {
  ASHLAR_ASSERT(is_back_to_back(footer, offset), "G4: the sections follow each other");
  const std::size_t begin = to.size();
  base::append_number(to, identity.database_id);
  base::append_number(to, identity.number);
  for (const TableFooter::Handle& section : footer.sections) {
    base::append_number(to, section.offset);
    base::append_number(to, section.bytes);
  }
  ASHLAR_ASSERT(footer.version > 0 && footer.version <= kTableVersion, "a version that is read");
  base::append_number(to, footer.version);
  to.append(kChecksumOffset - kVersionOffset - sizeof(footer.version), '\0');
  const std::string_view covered = std::string_view(to).substr(begin);
  ASHLAR_ASSERT(covered.size() == kChecksumOffset, "the footer is as documented");
  base::append_number(to, base::hash_key(covered, seed_of(identity, offset)));
  to.append(kTableMagic);
}

Result<TableFooter> decode_footer(std::string_view bytes, const TableIdentity& identity,
                                  std::string_view path, std::uint64_t offset) {
  const auto damaged = [&](std::string_view what) {
    return std::unexpected(table_damage(path, offset, what));
  };
  if (bytes.size() != kFooterBytes) return damaged("the file is too short for a table");
  if (!bytes.ends_with(kTableMagic)) return damaged("this is not the footer of a table");
  // A later version keeps its number where this one has it, and may change all else.
  const auto version = base::load_number<std::uint32_t>(bytes.data() + kVersionOffset);
  if (version > kTableVersion) {
    return std::unexpected(
        Error(ErrorCode::kUnavailable, std::string(path) + " at " + std::to_string(offset) +
                                           ": a table of version " + std::to_string(version) +
                                           ", and this program reads version " +
                                           std::to_string(kTableVersion)));
  }
  const auto checksum = base::load_number<std::uint64_t>(bytes.data() + kChecksumOffset);
  const std::string_view covered = bytes.substr(0, kChecksumOffset);
  if (version == 0 || base::hash_key(covered, seed_of(identity, offset)) != checksum) {
    const bool is_other = base::load_number<std::uint64_t>(bytes.data()) != identity.database_id ||
                          base::load_number<std::uint64_t>(bytes.data() + 8) != identity.number;
    return damaged(is_other ? "the footer is damaged, or that of another table"
                            : "the footer is damaged");
  }
  TableFooter footer;
  footer.version = version;
  const char* from = bytes.data() + 16;
  for (TableFooter::Handle& section : footer.sections) {
    section = {.offset = base::load_number<std::uint64_t>(from),
               .bytes = base::load_number<std::uint64_t>(from + 8)};
    from += 16;
  }
  if (!is_back_to_back(footer, offset)) return damaged("the sections do not add up to the file");
  return footer;
}

void append_properties(std::string& to, const TableProperties& properties) {
  ASHLAR_ASSERT(is_consistent(properties), "properties are those of a table that can be");
  base::append_number(to, properties.row_count);
  base::append_number(to, properties.erase_count);
  base::append_number(to, properties.expiring_count);
  base::append_number(to, properties.earliest_deadline_ms);
  base::append_number(to, properties.block_count);
  base::append_number(to, properties.raw_bytes);
  base::append_number(to, static_cast<std::uint8_t>(properties.compression));
  base::append_number(to, properties.filter_bits_per_key);
  base::append_number(to, properties.filter_bits_per_hash);
  base::append_varint(to, properties.smallest_key.size());
  to.append(properties.smallest_key);
  base::append_varint(to, properties.largest_key.size());
  to.append(properties.largest_key);
  if (properties.shares.empty()) return;
  ASHLAR_ASSERT(is_in_order(properties.shares), "G10: shares are of pieces in their order");
  append_shares(to, properties.shares);
}

std::optional<TableProperties> decode_properties(std::string_view bytes, std::uint32_t version) {
  TableProperties properties;
  std::uint8_t compression = 0;
  const bool is_whole =
      base::take_number(bytes, properties.row_count) &&
      base::take_number(bytes, properties.erase_count) &&
      base::take_number(bytes, properties.expiring_count) &&
      base::take_number(bytes, properties.earliest_deadline_ms) &&
      base::take_number(bytes, properties.block_count) &&
      base::take_number(bytes, properties.raw_bytes) && base::take_number(bytes, compression) &&
      base::take_number(bytes, properties.filter_bits_per_key) &&
      base::take_number(bytes, properties.filter_bits_per_hash) &&
      take_text(bytes, properties.smallest_key) && take_text(bytes, properties.largest_key) &&
      (version == kTableVersionWithoutShares || take_shares(bytes, properties.shares));
  if (!is_whole || !bytes.empty() || !is_known(compression)) return std::nullopt;
  properties.compression = static_cast<Compression>(compression);
  return is_consistent(properties) ? std::optional(std::move(properties)) : std::nullopt;
}

}  // namespace ashlar::table
