// Any file as a table: it is opened or refused, with no more memory than it is long but for blocks
// that it says are long, and what a walk hands out ascends. Then the same bytes as the sections and
// blocks of a table whose checksums are right, so that what they protect is read as well; and as
// changes to a table that is sound, under checksums that are right again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "base/hash.h"
#include "os/simulated_disk.h"
#include "table/table_file.h"
#include "table/table_format.h"
#include "table/table_walk.h"
#include "table/table_writer.h"

namespace {

using ashlar::table::Compression;
using ashlar::table::TableFooter;

constexpr ashlar::table::TableIdentity kIdentity{.database_id = 1, .number = 2, .hash_seed = 3};

// A fuzzer has little memory, and a block may say that it is half a GiB long.
constexpr std::uint64_t kRawBytesMax = std::uint64_t{1} << 20U;

void must(bool condition) {
  if (!condition) std::abort();
}

bool has_short_blocks(const ashlar::table::TableFile& table) {
  for (std::size_t block = 0; block < table.block_count(); ++block) {
    if (table.raw_bytes(block) > kRawBytesMax) return false;
  }
  return true;
}

void read_as_table(std::string_view bytes) {
  ashlar::os::SimulatedDisk disk;
  {
    const auto file = ashlar::os::File::open(disk, "/t", ashlar::os::OpenMode::kCreate);
    if (!file || !(*file)->write(0, bytes)) return;
  }
  const auto table = ashlar::table::TableFile::open(disk, "/t", kIdentity);
  if (!table || !has_short_blocks(**table)) return;
  ashlar::table::TableWalk walk(**table);
  std::string last;
  for (walk.seek_to_first(); walk.is_valid(); walk.next()) {
    must(last < walk.key());
    last = walk.key();
    must((*table)->block_of(last) == walk.block());
    must(walk.kind() != ashlar::engine::OperationKind::kErase || walk.value().empty());
  }
  if (walk.status()) must(last == (*table)->properties().largest_key);
}

/// Takes a piece off the front, as long as its first two bytes say.
std::string_view take_piece(std::string_view& bytes) {
  std::uint16_t count = 0;
  if (!ashlar::base::take_number(bytes, count)) return {};
  const std::string_view piece = bytes.substr(0, count);
  bytes.remove_prefix(piece.size());
  return piece;
}

/// A table of pieces of `bytes`: up to four blocks, then the sections.
std::string sealed(std::string_view bytes) {
  std::string file;
  const auto append = [&file](std::string_view piece, Compression kind) {
    const TableFooter::Handle handle{.offset = file.size(), .bytes = piece.size()};
    file.append(piece);
    ashlar::table::append_trailer(file, piece.size(), kind, kIdentity, handle.offset);
    return handle;
  };
  std::uint8_t form = 0;
  if (!ashlar::base::take_number(bytes, form)) return file;
  for (unsigned block = 0; block < 1U + form % 4U; ++block) {
    append(take_piece(bytes), static_cast<Compression>(form / 4 % 4));
  }
  TableFooter footer;
  for (TableFooter::Handle& section : footer.sections) {
    section = append(take_piece(bytes), Compression::kNone);
  }
  ashlar::table::append_footer(file, footer, kIdentity, file.size());
  return file;
}

/// A sound table of some blocks, stored as `kind` says.
std::string sound_table(Compression kind) {
  ashlar::os::SimulatedDisk disk;
  const auto writer =
      ashlar::table::TableWriter::create(disk, "/t", kIdentity, {.compression = kind});
  must(writer.has_value());
  for (int i = 100; i < 130; ++i) {
    const std::string key = "key:" + std::to_string(i * i);
    const std::string value(static_cast<std::size_t>(i * (i % 10)), 'v');
    const bool is_erase = value.empty();
    const ashlar::engine::Operation row{
        .kind =
            is_erase ? ashlar::engine::OperationKind::kErase : ashlar::engine::OperationKind::kPut,
        .key = key,
        .value = value,
        .deadline_ms = i % 7 == 0 && !is_erase ? i : ashlar::engine::kNever};
    must((*writer)->add(row, ashlar::base::hash_key(key, kIdentity.hash_seed)).has_value());
  }
  must((*writer)->finish().has_value());
  return disk.read_all("/t");
}

/// Makes the checksum right of what lies from `begin` to `end`, its trailer included.
void reseal(std::string& file, std::uint64_t begin, std::uint64_t end) {
  std::string piece = file.substr(begin, end - begin - ashlar::table::kTrailerBytes);
  const int kind = file[end - ashlar::table::kTrailerBytes] & 3;
  ashlar::table::append_trailer(piece, piece.size(), static_cast<Compression>(kind), kIdentity,
                                begin);
  file.replace(begin, piece.size(), piece);
}

/// A sound table with the bytes changed that `changes` names: two of the place, one that it gets.
std::string changed(std::string_view changes) {
  std::uint8_t form = 0;
  if (!ashlar::base::take_number(changes, form)) return {};
  static const std::string sound[] = {sound_table(Compression::kNone),
                                      sound_table(Compression::kLz4),
                                      sound_table(Compression::kZstd)};
  const std::string& base = sound[form % 3];
  std::string file = base;
  const std::uint64_t footer_offset = file.size() - ashlar::table::kFooterBytes;
  std::uint16_t place = 0;
  char byte = 0;
  while (ashlar::base::take_number(changes, place) && ashlar::base::take_number(changes, byte)) {
    // Counted from behind: the sections lie there, and small numbers come soonest.
    file[footer_offset - 1 - place % footer_offset] = byte;
  }
  ashlar::os::SimulatedDisk disk;
  must((*ashlar::os::File::open(disk, "/t", ashlar::os::OpenMode::kCreate))
           ->write(0, base)
           .has_value());
  const auto table = ashlar::table::TableFile::open(disk, "/t", kIdentity);
  must(table.has_value());
  for (std::size_t block = 0; block < (*table)->block_count(); ++block) {
    reseal(file, (*table)->offset(block), (*table)->offset(block + 1));
  }
  const auto footer = ashlar::table::decode_footer(std::string_view(base).substr(footer_offset),
                                                   kIdentity, "/t", footer_offset);
  for (const TableFooter::Handle& section : footer->sections) {
    reseal(file, section.offset, section.offset + section.bytes + ashlar::table::kTrailerBytes);
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_table(bytes);
  read_as_table(sealed(bytes));
  read_as_table(changed(bytes));
  return 0;
}
