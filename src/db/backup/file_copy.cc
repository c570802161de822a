#include "db/backup/file_copy.h"

#include <memory>
#include <string_view>

#include "base/assert.h"
#include "base/hash.h"
#include "os/file.h"

namespace ashlar::db {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

/// Reads the file `from`, and writes it to `to` if there is one.
Result<FileSum> read_through(os::Disk& disk, const std::string& from, os::File* to,
                             const PieceObserver& observer) {
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, from, os::OpenMode::kRead));
  if (file == nullptr) {
    return std::unexpected(Error(ErrorCode::kCorruption, from + " at 0: the file is missing"));
  }
  FileSum sum;
  std::string piece(kPieceBytes, '\0');
  while (true) {
    ASHLAR_TRY_ASSIGN(const std::size_t got, file->read_some(sum.bytes, piece));
    if (got == 0) break;
    const std::string_view bytes = std::string_view(piece).substr(0, got);
    if (to != nullptr) ASHLAR_TRY(to->write(sum.bytes, bytes));
    sum.checksum = base::hash_key(bytes, sum.checksum);
    sum.bytes += got;
    if (observer) observer(got);
    if (got < piece.size()) break;
  }
  return sum;
}

}  // namespace

Result<FileSum> sum_file(os::Disk& disk, const std::string& path, const PieceObserver& observer) {
  return read_through(disk, path, nullptr, observer);
}

Result<FileSum> copy_file(os::Disk& disk, const CopyPaths& paths, const PieceObserver& observer) {
  ASHLAR_ASSERT(paths.from != paths.to, "a copy is another file");
  ASHLAR_TRY_ASSIGN(const auto copy, os::File::open(disk, paths.to, os::OpenMode::kCreate));
  ASHLAR_TRY_ASSIGN(const FileSum sum, read_through(disk, paths.from, copy.get(), observer));
  ASHLAR_TRY(copy->sync());
  return sum;
}

}  // namespace ashlar::db
