// Any file as a table: it is opened or refused, with no more memory than it is long but for blocks
// that it says are long, and what a walk hands out ascends. Then the same bytes as the four
// sections and the blocks of a table whose checksums are right, so that what they protect is read
// as well.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "os/simulated_disk.h"
#include "table/table_file.h"
#include "table/table_format.h"
#include "table/table_walk.h"

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
    must(walk.kind() == ashlar::engine::OperationKind::kPut || walk.value().empty());
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_table(bytes);
  read_as_table(sealed(bytes));
  return 0;
}
