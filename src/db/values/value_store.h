/// \file
/// The log as the place where long values stand: the ring, the segments, and in the folder
/// `values/` those segments that the log has given up and rows still refer to.
///
///     log/0000000007.log  --link, sync-->  values/0000402653.piece  -->  removed when nobody
///                                                                        refers to it any more
///
/// A file in `values/` is a segment as the log has left it, under the position at which it begins.
/// It is linked there before its name in the log goes: after a crash it may have both, and is then
/// both; the log never uses again what has a name here.
///
/// Invariants:
///   V41 of large_values.h, L12 of local_log.h
///   J3  A position leads to the same byte as long as anybody refers to it, whatever the log does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ashlar/result.h"
#include "base/ref.h"
#include "base/thread_safety.h"
#include "engine/large_values.h"
#include "log/local_log.h"
#include "os/file.h"

namespace ashlar::db {

/// The name of a kept piece that begins at `first`: "0000004096.piece".
std::string kept_piece_name(log::Position first);

/// Returns: nullopt when `name` is not that of a kept piece
std::optional<log::Position> kept_piece_first(std::string_view name);

/// Threads:  thread-safe once the log is attached.
/// Lifetime: the disk must outlive it.
class ValueStore final : public engine::LargeValues, public log::SegmentHeir {
 public:
  /// Where the files are.
  struct Folders {
    std::string log;
    std::string values;  ///< Made if it is missing.
  };

  /// Finds what is kept, and which pieces the log has that is about to be opened.
  ///
  /// Errors: kIo
  static Result<std::unique_ptr<ValueStore>> open(os::Disk& disk, Folders folders);

  /// Who is asked what is needed. Before the log is opened; it must stay as long as the log.
  void serve(const engine::ValueReferrer& referrer) noexcept { referrer_ = &referrer; }

  /// The log is open, and stays so as long as values are read.
  void attach(const log::LocalLog& log) noexcept { log_ = &log; }

  /// The path of the piece that is kept and begins at `first`, whether or not there is one.
  std::string kept_path(log::Position first) const {
    return folders_.values + "/" + kept_piece_name(first);
  }

  Result<void> read(std::uint64_t position, std::span<char> to) const override;
  std::vector<engine::ValuePiece> pieces() const override;
  std::string place_of(std::uint64_t position) const override;
  Result<void> drop_unreferred() override;

  Result<bool> take(const log::SegmentHeader& header, const std::string& path) override;

 private:
  /// A file that values are read from.
  struct PieceFile final : base::Counted {
    PieceFile(const engine::ValuePiece& its_piece, std::unique_ptr<os::File> its_file) noexcept
        : piece(its_piece), file(std::move(its_file)) {}
    const engine::ValuePiece piece;
    const std::unique_ptr<os::File> file;
  };
  using FileRef = base::Ref<const PieceFile>;
  using Files = std::map<log::Position, FileRef>;

  ValueStore(os::Disk& disk, Folders folders) : disk_(disk), folders_(std::move(folders)) {}

  Result<void> find_kept();
  Result<void> keep(const engine::ValuePiece& piece);
  FileRef find_open(log::Position position) const;
  std::vector<log::LocalLog::PlacedSegment> segments() const;
  Result<FileRef> file_at(log::Position position) const;

  os::Disk& disk_;
  const Folders folders_;
  const engine::ValueReferrer* referrer_ = nullptr;
  const log::LocalLog* log_ = nullptr;
  std::vector<log::LocalLog::PlacedSegment> found_;  // Of the log, as long as that is not open.

  mutable base::Mutex mutex_;                      // A leaf.
  mutable Files files_ ASHLAR_GUARDED_BY(mutex_);  // Those that are kept, and what has been read.
};

}  // namespace ashlar::db
