// Opening a log: replaying what is there, and bringing its end into order.

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "log/local_log.h"
#include "os/thread.h"

namespace ashlar::log {

Result<std::unique_ptr<LocalLog>> LocalLog::open(os::Disk& disk, std::string directory,
                                                 const LocalLogOptions& options, Start start,
                                                 const Visit& replay, LogReport& report) {
  std::unique_ptr<LocalLog> log(new LocalLog(disk, std::move(directory), options));
  ASHLAR_TRY(log->recover(start, replay, report));
  ASHLAR_TRY(log->find_reserve());
  if (options.has_thread) {
    LocalLog* const self = log.get();
    ASHLAR_TRY_ASSIGN(self->thread_, os::start_thread("log", [self](const std::stop_token& stop) {
                        self->run_thread(stop);
                      }));
  }
  return log;
}

/// Reads first, and changes nothing until all of it has proved good: a log that is refused is left
/// as it was found, but for segments before a gap, which nobody can need.
Result<void> LocalLog::recover(Start start, const Visit& replay, LogReport& report) {
  ASHLAR_TRY(os::make_directory(disk_, directory_));
  ASHLAR_TRY_ASSIGN(const SegmentSet found, SegmentSet::scan(disk_, directory_));
  ASHLAR_TRY_ASSIGN(RingImage ring, read_ring_marks(disk_, ring_path()));
  if (found.empty()) return begin_new(start, ring);
  if (start.position < found.first() || start.position > found.end()) {
    const std::string cause =
        found.damaged().empty() ? "" : "; the header of " + found.damaged() + " is damaged";
    return std::unexpected(Error(ErrorCode::kCorruption,
                                 directory_ + ": the log has the bytes from " +
                                     std::to_string(found.first()) + " to " +
                                     std::to_string(found.end()) + ", those from " +
                                     std::to_string(start.position) + " on are missing" + cause));
  }
  if (start.position % 8 != 0) {
    return std::unexpected(Error(ErrorCode::kCorruption,
                                 directory_ + ": no frame can begin at position " +
                                     std::to_string(start.position) + ", where the log goes on"));
  }
  for (const std::string& path : found.stale()) ASHLAR_TRY(os::remove_file(disk_, path));
  log_id_ = found.segments().front().header.log_id;
  LogReader reader(found, Tail{.ring = {}, .durable = ring.durable(log_id_)}, log_id_, start);
  ASHLAR_TRY(read_all(reader, ring, replay, report));
  // The ring is made before the first commit and stays. Without it nothing tells whether commits
  // stood there that no segment had, behind the last frame or behind a checkpoint; only at the
  // beginning there were none yet.
  if (!ring.is_there && !report.was_closed && reader.at().position != 0) {
    return std::unexpected(
        Error(ErrorCode::kCorruption,
              ring_path() + ": the file is missing, and with it what no segment had yet"));
  }
  for (const FoundSegment& segment : found.segments()) ASHLAR_TRY(adopt(segment.header));
  return settle(reader, found, ring);
}

/// Finds the reserve that the last process left. Where there is none the thread makes it; a disk
/// that is full keeps nobody from reading.
Result<void> LocalLog::find_reserve() {
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk_, reserve_path(), os::OpenMode::kRead));
  const base::MutexLock lock(making_mutex_);
  if (file != nullptr) {
    ASHLAR_TRY_ASSIGN(const std::uint64_t bytes, file->size());
    has_reserve_ = bytes == segment_file_bytes();
  }
  if (options_.has_thread) return {};
  const Result<void> restored = restore_reserve_locked();
  const bool is_full = !restored && restored.error().code() == ErrorCode::kOutOfSpace;
  return is_full ? Result<void>() : restored;
}

/// A ring is made after the first segment: where there is one, there was a log.
Result<void> LocalLog::begin_new(Start start, const RingImage& ring) {
  if (start.position != 0 || ring.is_there) {
    return std::unexpected(
        Error(ErrorCode::kCorruption, directory_ + ": the log is missing from position " +
                                          std::to_string(start.position) + " on"));
  }
  log_id_ = options_.new_log_id;
  ASHLAR_TRY(allocate_to(1));
  return renew_ring(0, RingRest::kCleared);
}

namespace {

/// Hands every commit over that `reader` finds.
Result<void> replay_frames(LogReader& reader, const Log::Visit& replay, LogReport& report) {
  while (true) {
    ASHLAR_TRY_ASSIGN(const std::optional<Frame> frame, reader.next());
    if (!frame) return {};
    ++report.frame_count;
    if (frame->header.kind == FrameKind::kCommit) ASHLAR_TRY(replay(*frame));
  }
}

}  // namespace

/// Hands every commit over, then asks why there is no more: a torn end is normal, damage is not. Of
/// a log that was closed the segments have all, and behind its end nothing is looked for (L10),
/// which would take long: segments are used again with what was in them.
Result<void> LocalLog::read_all(LogReader& reader, RingImage& ring, const Visit& replay,
                                LogReport& report) {
  const Position closed = ring.closed(log_id_);
  if (closed != 0) ASHLAR_TRY(replay_frames(reader, replay, report));
  if (closed == 0 || !reader.is_closed() || reader.at().position != closed) {
    if (ring.is_there) {
      ASHLAR_TRY_ASSIGN(ring, read_ring(disk_, ring_path()));
      ASHLAR_TRY(sync_ring());
    }
    reader.use_ring(ring.bytes);
    ASHLAR_TRY(replay_frames(reader, replay, report));
    ASHLAR_TRY_ASSIGN(report.torn_bytes, reader.judge_end());
  }
  report.was_closed = reader.is_closed();
  const base::MutexLock lock(append_mutex_);
  end_ = reader.at();
  return {};
}

/// Makes the ring that was found durable before its commits are handed over: whoever writes one of
/// them to files of its own must find it in the log again, whatever happens next.
Result<void> LocalLog::sync_ring() {
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk_, ring_path(), os::OpenMode::kReadWrite));
  return file != nullptr ? file->sync() : Result<void>();
}

/// Makes what only the ring had durable in the segments, clears what may be torn behind it, and
/// begins a new ring. Until the last step the old ring is as it was, so all of it can be done
/// again.
Result<void> LocalLog::settle(LogReader& reader, const SegmentSet& found, const RingImage& ring) {
  const Position end = reader.at().position;
  const Position segments_end = reader.segments_end();
  const Position first_block = segments_end / os::kBlockBytes * os::kBlockBytes;
  std::string bytes(segments_end - first_block, '\0');
  ASHLAR_TRY_ASSIGN(const std::size_t got, found.read(first_block, bytes));
  if (got < bytes.size()) {
    return std::unexpected(
        Error(ErrorCode::kCorruption, found.place_of(first_block + got) + ": the file ends here"));
  }
  for (Position at = segments_end; at < end; ++at) {
    bytes.push_back(ring.bytes[at % ring.bytes.size()]);
  }
  ASHLAR_TRY(allocate_to(end + 1));
  // Of a log that was closed the segments have all, unless one was damaged and the ring helped out.
  const bool is_whole = reader.is_closed() && segments_end == end;
  if (!is_whole) {
    ASHLAR_TRY(write_padded(first_block, bytes));
    ASHLAR_TRY(zero_behind(end, ring.bytes.size()));
  }
  // A ring that was not read holds nothing that matters.
  const bool is_left = is_whole && ring.bytes.empty();
  ASHLAR_TRY(renew_ring(end, is_left ? RingRest::kLeft : RingRest::kCleared));
  const Position last_block = end / os::kBlockBytes * os::kBlockBytes;
  ring_->store(last_block, std::string_view(bytes).substr(last_block - first_block));
  copied_.store(end, std::memory_order_relaxed);
  whole_end_.store(end, std::memory_order_relaxed);
  flushed_.store(end, std::memory_order_release);
  return {};
}

/// Clears the blocks behind the one that `end` lies in, as far as a ring of so many bytes may have
/// been written there: a frame of theirs must not come up again behind new ones.
Result<void> LocalLog::zero_behind(Position end, std::size_t ring_bytes) {
  const Position begin = (end + os::kBlockBytes - 1) / os::kBlockBytes * os::kBlockBytes;
  const Position last = std::min<Position>(end + std::max(ring_bytes, options_.ring_bytes),
                                           allocated_end_.load(std::memory_order_relaxed));
  if (begin >= last) return {};
  return write_padded(begin, std::string(last - begin, '\0'));
}

Result<void> LocalLog::renew_ring(Position durable, RingRest rest) {
  ASHLAR_TRY_ASSIGN(ring_,
                    Ring::renew(disk_, directory_, options_.ring_bytes, log_id_, durable, rest));
  return {};
}

}  // namespace ashlar::log
