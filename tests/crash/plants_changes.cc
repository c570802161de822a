// What follows the changes of a database, with a bug that can be switched on. What stands here is
// all that change_stream.cc defines: see plants.cc.

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "ashlar/changes.h"
#include "base/assert.h"
#include "db/changes/commit_changes.h"
#include "db/changes/commit_reader.h"
#include "db/impl.h"
#include "log/ring.h"
#include "plants.h"

namespace {

bool is_planted = false;

}  // namespace

namespace ashlar::db {

/// With the bug, what is only in the ring of the log is handed out as well.
class HastyReader : public CommitReader {
 public:
  HastyReader(os::Disk& disk, const std::vector<std::string>& folders)
      : CommitReader(disk, folders), disk_(disk), ring_path_(folders.back() + "/ring") {}

  Result<std::optional<log::Frame>> next(log::Position end) {
    ASHLAR_TRY_ASSIGN(auto frame, CommitReader::next(end));
    if (frame || !is_planted) return frame;
    ASHLAR_TRY_ASSIGN(ring_, log::read_ring(disk_, ring_path_));
    if (!log_id()) return std::nullopt;
    tail_.emplace(nothing_, log::Tail{.ring = ring_.bytes}, *log_id(), at());
    ASHLAR_TRY_ASSIGN(frame, tail_->next());
    if (!frame || frame->header.kind != log::FrameKind::kCommit) return std::nullopt;
    ASHLAR_TRY(begin_at(tail_->at()));
    return frame;
  }

 private:
  os::Disk& disk_;
  const std::string ring_path_;
  const log::SegmentSet nothing_;
  log::RingImage ring_;
  std::optional<log::LogReader> tail_;
};

}  // namespace ashlar::db

#define CommitReader HastyReader
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "db/changes/change_stream.cc"
#undef CommitReader

namespace ashlar::crash {

bool plant_change_bug(std::string_view name) {
  if (name != "stream-before-durable") return false;
  is_planted = true;
  return true;
}

}  // namespace ashlar::crash
