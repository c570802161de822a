#include "db/changes/history.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "db/backup/file_copy.h"
#include "db/changes/segment_trail.h"
#include "db/directory.h"
#include "engine/operation_codec.h"
#include "log/log_reader.h"
#include "os/file.h"

namespace ashlar::db {

History::History(World world, const HistoryLimits& limits)
    : world_(std::move(world)), limits_(limits) {
  ASHLAR_ASSERT(!world_.folder.empty(), "what is kept has a place");
}

std::string History::path_of(std::uint64_t number) const {
  return world_.folder + "/" + log::segment_name(number);
}

/// Returns: nullopt for what is no segment of this log
Result<std::optional<History::Kept>> History::look_at(std::uint64_t number,
                                                      log::LogId log_id) const {
  const SegmentTrail trail(world_.disk, {world_.log_folder, world_.folder});  // Its own one first.
  // One with no beginning of a commit, which is then a very long one, is as old as what is behind.
  Kept kept{.number = number, .begin_ms = world_.clock.now_ms()};
  for (const std::size_t count_max : {std::size_t{1}, SegmentTrail::kOpenMax}) {
    ASHLAR_TRY_ASSIGN(const log::SegmentSet segments, trail.open_from(number, count_max));
    if (segments.empty()) return std::nullopt;
    const log::FoundSegment& segment = segments.segments().front();
    if (segment.header.log_id != log_id) return std::nullopt;
    ASHLAR_TRY_ASSIGN(kept.file_bytes, segment.file->size());
    log::LogReader reader(segments, log::Tail{}, log_id, log::Start{});
    ASHLAR_TRY_ASSIGN(auto frame, reader.find_from(segment.header.first));
    while (frame && frame->header.kind == log::FrameKind::kClose) {  // Which has no moment.
      ASHLAR_TRY_ASSIGN(frame, reader.find_from(frame->end()));
    }
    if (!frame) continue;
    kept.begin_ms = engine::PayloadReader(frame->payload).moment_ms();
    return kept;
  }
  return kept;
}

/// A segment before a gap is of use to nobody, and one that the log still has will come again.
Result<void> History::attach(log::LogId log_id, std::uint64_t first_number) {
  if (limits_.bytes_max == 0) return {};
  std::vector<std::string> names;
  if (world_.disk.list(world_.folder, names) == -ENOENT) return {};
  ASHLAR_TRY_ASSIGN(names, os::list_directory(world_.disk, world_.folder));
  ASHLAR_TRY(
      os::remove_file(world_.disk, world_.folder + "/" + std::string(kUnfinishedHistoryName)));
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names) {
    if (const auto number = log::segment_number(name)) numbers.push_back(*number);
  }
  std::ranges::sort(numbers, std::greater{});
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(kept_.empty(), "what is kept is looked for once");
  std::uint64_t expected = first_number - 1;
  for (const std::uint64_t number : numbers) {
    // What the log still has by the same name is kept already, should it be given up.
    const bool is_above = number >= first_number;
    std::optional<Kept> kept;
    if (number == expected || (is_above && kept_.empty())) {
      ASHLAR_TRY_ASSIGN(kept, look_at(number, log_id));
    }
    if (!kept) {
      ASHLAR_TRY(os::remove_file(world_.disk, path_of(number)));
      continue;
    }
    bytes_ += kept->file_bytes;
    kept_.push_front(*kept);
    expected = number - 1;
  }
  return drop_old();
}

/// Whether the log or somebody else keeps the file does not matter here: a name of one's own holds
/// it. What comes next may take the name in the log away, so that comes after.
Result<bool> History::take(const log::SegmentHeader& header, const std::string& path) {
  bool is_kept = false;
  if (limits_.bytes_max > 0) {
    const base::MutexLock lock(mutex_);
    ASHLAR_TRY_ASSIGN(is_kept, keep(header, path));
    ASHLAR_TRY(drop_old());
  }
  if (world_.next == nullptr) return is_kept;
  ASHLAR_TRY_ASSIGN(const bool is_taken, world_.next->take(header, path));
  return is_kept || is_taken;
}

/// Returns: whether the file has two names now, and must not be written to
Result<bool> History::keep(const log::SegmentHeader& header, const std::string& path) {
  ASHLAR_TRY(os::make_directory(world_.disk, world_.folder));
  const bool is_there = !kept_.empty() && kept_.back().number >= header.number;
  if (is_there) return true;  // Since an attempt before this one: linked or not, it may be.
  ASHLAR_ASSERT(kept_.empty() || kept_.back().number + 1 == header.number, "J5: there is no gap");
  const std::string to = path_of(header.number);
  ASHLAR_TRY(os::remove_file(world_.disk, to));
  ASHLAR_TRY_ASSIGN(const bool is_linked, os::link_file(world_.disk, path, to));
  if (!is_linked) {
    const std::string unfinished = world_.folder + "/" + std::string(kUnfinishedHistoryName);
    ASHLAR_TRY(os::remove_file(world_.disk, unfinished));
    ASHLAR_TRY(copy_file(world_.disk, {.from = path, .to = unfinished}, [](std::uint64_t) {}));
    ASHLAR_TRY(os::rename_file(world_.disk, unfinished, to));
  }
  ASHLAR_TRY(os::sync_directory(world_.disk, world_.folder));
  ASHLAR_TRY_ASSIGN(const auto kept, look_at(header.number, header.log_id));
  if (!kept) {
    return std::unexpected(Error(ErrorCode::kCorruption, to + " at 0: the header is damaged"));
  }
  bytes_ += kept->file_bytes;
  kept_.push_back(*kept);
  return is_linked;
}

/// All of a segment is at least as old as what comes behind it.
bool History::is_oldest_too_much() const {
  if (kept_.empty()) return false;
  if (bytes_ > limits_.bytes_max) return true;
  if (limits_.age_ms_max == 0 || kept_.size() < 2) return false;
  return kept_[1].begin_ms < world_.clock.now_ms() - limits_.age_ms_max;
}

Result<void> History::drop_old() {
  while (is_oldest_too_much()) {
    ASHLAR_TRY(os::remove_file(world_.disk, path_of(kept_.front().number)));
    bytes_ -= kept_.front().file_bytes;
    kept_.pop_front();
  }
  return {};
}

std::uint64_t History::bytes() const {
  const base::MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace ashlar::db
