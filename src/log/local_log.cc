// Appending, flushing, poisoning. Two kinds of callers meet here: those who append, one at a time
// under `append_mutex_`, and the one who flushes, of whom `is_flushing_` makes sure that there is
// one. They share the ring: the first writes behind `copied_`, the second reads before it.

#include "log/local_log.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/racy.h"

namespace ashlar::log {
namespace {

// So much is copied out of the ring and written at a time. Each write waits for the disk's cache to
// be flushed: 64 MiB take 0.3 s a megabyte at a time, and 0.12 s by four.
constexpr std::size_t kStagingBytes = std::size_t{4} << 20U;

// A round of flushing waits so long at most for those who are likely to join it. After one that
// waited in vain some do not wait, and twice as many after each further one, up to a bound: so that
// waiting costs a round less than a microsecond on average where nobody joins.
constexpr std::chrono::microseconds kGatherMax{400};
constexpr unsigned kPauseMax = 512;

constexpr Position block_of(Position position) noexcept {
  return position / os::kBlockBytes * os::kBlockBytes;
}

constexpr std::uint64_t whole_blocks(std::uint64_t bytes) noexcept {
  return (bytes + os::kBlockBytes - 1) / os::kBlockBytes * os::kBlockBytes;
}

}  // namespace

LocalLog::LocalLog(os::Disk& disk, std::string directory, const LocalLogOptions& options)
    : disk_(disk),
      directory_(std::move(directory)),
      options_(options),
      staging_memory_(std::make_unique_for_overwrite<char[]>(kStagingBytes + os::kBlockBytes)),
      plain_poison_(ErrorCode::kUnavailable,
                    std::string("the log takes no more writes since one failed")) {
  ASHLAR_ASSERT(options.segment_bytes % os::kBlockBytes == 0, "a segment holds whole blocks");
  ASHLAR_ASSERT(options.ring_bytes % os::kBlockBytes == 0, "the ring holds whole blocks");
  ASHLAR_ASSERT(options.ring_bytes >= 4 * os::kBlockBytes, "the ring has room to work in");
  const auto address = reinterpret_cast<std::uintptr_t>(staging_memory_.get());
  staging_ = staging_memory_.get() + (whole_blocks(address) - address);
}

/// Only now nobody can append behind the close (L10).
LocalLog::~LocalLog() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  if (closed_ != 0 && end().position == closed_) ring_->note_closed(closed_);
}

/// Whether the ring has room for a frame that is not long. What was flushed of the last block stays
/// in the ring, since the block is written again (L4).
bool LocalLog::has_ring_room(std::size_t frame_bytes) const noexcept {
  const Position end = copied_.load(std::memory_order_acquire) + frame_bytes;
  const Position kept = block_of(flushed_.load(std::memory_order_acquire));
  return end <= kept + options_.ring_bytes;
}

/// What it finds may be gone again when the entry is appended: others append too. Then
/// `try_append` says so, and the caller comes back.
Result<void> LocalLog::make_room(const Entry& entry) {
  const std::size_t frame_bytes = frame_bytes_for(entry.payload().size());
  const bool is_long = frame_bytes > options_.ring_bytes / 2;
  while (true) {
    if (const Error* error = poison()) return std::unexpected(*error);
    const Position copied = copied_.load(std::memory_order_acquire);
    ASHLAR_TRY(allocate_to(copied + frame_bytes, entry.room()));
    if (is_long || has_ring_room(frame_bytes)) return {};
    ASHLAR_TRY(flush_to(copied));
  }
}

Appended LocalLog::try_append(const Entry& entry, Position& end) noexcept {
  return append_frame(FrameKind::kCommit, entry, end);
}

/// Appends one frame. It is called with buckets locked, so nothing here waits for the disk, but for
/// frames that are long. A frame is in the log once `copied_` is behind it, and not before: a
/// process that ends in between leaves bytes without a checksum that fits.
Appended LocalLog::append_frame(FrameKind kind, const Entry& entry, Position& end) noexcept {
  const std::string_view payload = entry.payload();
  const std::size_t frame_bytes = frame_bytes_for(payload.size());
  const bool is_long = frame_bytes > options_.ring_bytes / 2;
  const base::MutexLock lock(append_mutex_);
  if (is_poisoned_.load(std::memory_order_acquire)) return Appended::kNever;
  const Position position = end_.position;
  const bool has_segment = position + frame_bytes <= allocated_end(entry.room());
  if (!has_segment || (!is_long && !has_ring_room(frame_bytes))) return Appended::kNoRoom;

  const FrameHeader header{.kind = kind,
                           .payload_bytes = static_cast<std::uint32_t>(payload.size()),
                           .chain = end_.chain,
                           .unsynced_bytes = static_cast<std::uint32_t>(
                               position - flushed_.load(std::memory_order_acquire)),
                           .commit = end_.commit + 1};
  std::array<char, FrameHeader::kBytes> encoded;
  const std::uint64_t checksum =
      encode_frame_header(header, entry.hash(), position, log_id_, encoded.data());
  if (is_long) {
    if (!append_long(header, encoded.data(), payload)) return Appended::kNever;
  } else {
    ring_->store(position, {encoded.data(), encoded.size()});
    ring_->store(position + encoded.size(), payload);
    if (ring_->is_lost()) [[unlikely]] {
      poison_with(ring_is_lost());
      return Appended::kNever;
    }
    // Release: whoever flushes up to here finds the bytes in the ring. In this order: see `lead`.
    copied_.store(position + frame_bytes, std::memory_order_release);
    whole_end_.store(position + frame_bytes, std::memory_order_release);
  }
  end_ = {.position = position + frame_bytes, .chain = chain_of(checksum), .commit = header.commit};
  end = end_.position;
  wake_thread_if_needed();
  return Appended::kYes;
}

/// Appends a frame that does not fit into the ring: in pieces, each flushed before the next. It is
/// durable in the end, so that it need not be whole in the ring (L5).
bool LocalLog::append_long(const FrameHeader& header, const char* encoded,
                           std::string_view payload) noexcept {
  const Position begin = copied_.load(std::memory_order_relaxed);
  const Position frame_end = begin + header.frame_bytes();
  // Release: partner of `durable_frame_end`, which has seen a piece of the frame; and reads them
  // the other way round, so that the two never span more than one.
  long_begin_.store(begin, std::memory_order_release);
  long_end_.store(frame_end, std::memory_order_release);
  const std::size_t piece_max = options_.ring_bytes / 4;
  std::string_view head(encoded, FrameHeader::kBytes);
  while (copied_.load(std::memory_order_relaxed) < frame_end) {
    const Position copied = copied_.load(std::memory_order_relaxed);
    std::string_view& part = head.empty() ? payload : head;
    const std::size_t bytes = std::min(part.size(), piece_max);
    if (!has_ring_room(std::max<std::size_t>(bytes, 8)) && !flush_to(copied)) return false;
    ring_->store(copied, part.substr(0, bytes));
    part.remove_prefix(bytes);
    const bool is_last = head.empty() && payload.empty();
    copied_.store(is_last ? frame_end : copied + bytes, std::memory_order_release);
  }
  whole_end_.store(frame_end, std::memory_order_release);
  return flush_to(frame_end).has_value();
}

Result<void> LocalLog::durable(Position position) {
  if (flushed_.load(std::memory_order_acquire) >= position) return {};
  return flush_to(position);
}

/// Waits until everything before `position`, which has been copied, is durable: by writing it, or
/// while somebody else does. Whom the write under way serves waits apart from those who need the
/// next, of whom one is woken to make it: so nobody is woken in vain.
Result<void> LocalLog::flush_to(Position position) {
  std::optional<unsigned> joined;
  while (flushed_.load(std::memory_order_acquire) < position) {
    if (const Error* error = poison()) {
      // One who was woken to write next may end here: those behind it must not wait for it.
      for (os::WaitWord& done : flush_done_) done.wake_all();
      return std::unexpected(*error);
    }
    if (wait_or_lead(position, joined)) lead();
  }
  return {};
}

/// Waits for the end of a round, or begins one. `joined` is the round that counts the caller among
/// those who wait for it: once, however often it is woken, and not when it leads.
/// Returns: whether the caller now leads a round
bool LocalLog::wait_or_lead(Position position, std::optional<unsigned>& joined) {
  os::WaitWord* done = nullptr;
  os::WaitWord::Ticket ticket{};
  {
    const base::MutexLock lock(flush_mutex_);
    if (flushed_.load(std::memory_order_relaxed) >= position) return false;
    if (!is_flushing_) {
      is_flushing_ = true;
      flush_target_ = UINT64_MAX;  // Whoever comes while it is gathered is served.
      if (joined == flush_round_) --waiter_count_[flush_round_ % 2];
      return true;
    }
    const unsigned round = flush_round_ + (position <= flush_target_ ? 0U : 1U);
    done = &flush_done_[round % 2];
    ticket = done->ticket();
    if (joined != round && ++waiter_count_[round % 2] == gather_count_) gathered_.wake_one();
    joined = round;
  }
  done->wait(ticket);
  return false;
}

/// Waits a moment for those that the round before has served, if they are likely to be back at
/// once: a round for all of them takes no longer than one for half. Where they did not come, the
/// next rounds do not wait. `log-sync-16` against RocksDB: 2.18 without, 2.65 with it.
void LocalLog::gather() {
  os::WaitWord::Ticket ticket{};
  {
    const base::MutexLock lock(flush_mutex_);
    const unsigned waiter_count = waiter_count_[flush_round_ % 2];
    if (gather_pause_ > 0) --gather_pause_;
    if (gather_pause_ > 0 || served_count_ <= waiter_count) return;
    gather_count_ = served_count_;
    ticket = gathered_.ticket();
  }
  gathered_.wait_for(ticket, kGatherMax);
  const base::MutexLock lock(flush_mutex_);
  const bool is_in_vain = waiter_count_[flush_round_ % 2] < gather_count_;
  if (is_in_vain) gather_pause_ = next_pause_;
  next_pause_ = is_in_vain ? std::min(2 * next_pause_, kPauseMax) : 1;
  gather_count_ = 0;
}

/// One round of flushing: all that is in the ring by now, for all who wait by now.
void LocalLog::lead() {
  gather();
  Position mark = 0;
  Position target = 0;
  {
    const base::MutexLock lock(flush_mutex_);
    // Before the target, so that it is no more than that and not in the midst of a long frame.
    mark = whole_end_.load(std::memory_order_acquire);
    target = flush_target_ = copied_.load(std::memory_order_acquire);
  }
  const bool is_good = lead_flush(target, mark);
  std::size_t round = 0;
  {
    const base::MutexLock lock(flush_mutex_);
    is_flushing_ = false;
    round = flush_round_++ % 2;
    served_count_ = std::exchange(waiter_count_[round], 0);
  }
  flush_done_[round].wake_all();
  os::WaitWord& next = flush_done_[1 - round];
  if (is_good) {
    next.wake_one();
  } else {
    next.wake_all();
  }
}

/// Writes the ring up to `to`, or poisons the log.
bool LocalLog::lead_flush(Position to, Position mark) noexcept {
  try {
    const Result<void> done = flush_once(to, mark);
    if (!done) poison_with(done.error());
    return done.has_value();
  } catch (const std::bad_alloc&) {  // In wording an error.
    poison_with(plain_poison_);
    return false;
  }
}

/// Writes the ring up to `to` and leaves a mark at `mark`, an end of a frame before it.
Result<void> LocalLog::flush_once(Position to, Position mark) {
  ASHLAR_ASSERT(mark <= to, "L9: a mark tells of what is durable");
  ASHLAR_ASSERT(to <= allocated_end_.load(std::memory_order_relaxed), "segments come first");
  Position begin = block_of(flushed_.load(std::memory_order_relaxed));
  while (begin < to) {
    const std::string_view bytes = ring_->view(begin, to - begin);
    ASHLAR_TRY(write_padded(begin, bytes));
    begin += bytes.size();
  }
  flush_count_.fetch_add(1, std::memory_order_relaxed);
  flush_bytes_.fetch_add(to - flushed_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  // Release: what was waited for is durable, and its room in the ring is free.
  flushed_.store(to, std::memory_order_release);
  ring_->note_durable(mark);
  return {};
}

/// Writes `bytes` from `begin` on, which is the beginning of a block, with zeros up to the end of
/// the last one. They are copied first: what is appended to the ring meanwhile must not get onto
/// the disk, or it might be there without what was appended before (L6).
Result<void> LocalLog::write_padded(Position begin, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kStagingBytes);
    const std::size_t whole = whole_blocks(count);
    bytes.copy(staging_, count);
    if (ring_ != nullptr && ring_->is_lost()) return std::unexpected(ring_is_lost());
    std::memset(staging_ + count, 0, whole - count);
    ASHLAR_TRY(write_blocks(begin, {staging_, whole}));
    bytes.remove_prefix(count);
    begin += count;
  }
  return {};
}

/// Writes whole blocks at an aligned address to the segments.
Result<void> LocalLog::write_blocks(Position begin, std::string_view blocks) {
  while (!blocks.empty()) {
    Segment* const segment = segment_of(begin);
    ASHLAR_ASSERT(segment != nullptr, "segments are made ahead of what is written to them");
    const std::size_t count = std::min<std::uint64_t>(blocks.size(), segment->header.end() - begin);
    const std::uint64_t offset = offset_in_segment(segment->header, begin);
    ASHLAR_TRY(segment->file->write(offset, blocks.substr(0, count)));
    blocks.remove_prefix(count);
    begin += count;
  }
  return {};
}

/// While `flushed_` stays where it is in the midst of a long frame, no other one begins.
Position LocalLog::durable_frame_end() const noexcept {
  while (true) {
    const Position flushed = flushed_.load(std::memory_order_acquire);
    const Position end = long_end_.load(std::memory_order_acquire);
    const Position begin = long_begin_.load(std::memory_order_acquire);
    if (flushed_.load(std::memory_order_acquire) != flushed) continue;
    return flushed > begin && flushed < end ? begin : flushed;
  }
}

/// What is not durable is whole in the ring (L4, L5), and nobody stores there without the mutex.
bool LocalLog::try_read_unflushed(Position position, std::span<char> to) const noexcept {
  if (position + to.size() <= durable_end()) return false;
  const base::MutexLock lock(append_mutex_);
  const Position copied = copied_.load(std::memory_order_relaxed);
  if (position + to.size() > copied) return false;
  if (position + options_.ring_bytes < copied) return false;  // Overwritten, so durable (L4).
  ASHLAR_ASSERT(copied <= position + to.size() + options_.ring_bytes, "L4: the ring has all of it");
  while (!to.empty()) {
    const std::string_view bytes = ring_->view(position, to.size());
    bytes.copy(to.data(), bytes.size());
    to = to.subspan(bytes.size());
    position += bytes.size();
  }
  return true;
}

/// Whoever appends meanwhile begins at or before `copied_` as it is behind the copy, and stores no
/// more than half a ring: that does not reach bytes of the half before. A frame that was longer was
/// stored in quarters, each counted before the next.
bool LocalLog::try_read_recent(Position position, std::span<char> to) const noexcept {
  const auto is_recent = [&] {
    const Position copied = copied_.load(std::memory_order_acquire);
    return position + to.size() <= copied && copied <= position + options_.ring_bytes / 2;
  };
  if (!is_recent()) return false;
  for (std::size_t done = 0; done < to.size();) {
    const std::string_view bytes = ring_->view(position + done, to.size() - done);
    base::racy::load_bytes(to.data() + done, bytes.data(), bytes.size());
    done += bytes.size();
  }
  base::racy::read_fence();
  return is_recent() && !ring_->is_lost();
}

Start LocalLog::end() const {
  const base::MutexLock lock(append_mutex_);
  return end_;
}

const Error* LocalLog::poison() const noexcept {
  // Acquire: partner of the release in `poison_with`.
  if (!is_poisoned_.load(std::memory_order_acquire)) return nullptr;
  return poison_ != nullptr ? poison_.get() : &plain_poison_;
}

void LocalLog::poison_with(const Error& error) noexcept {
  const base::MutexLock lock(poison_mutex_);
  if (is_poisoned_.load(std::memory_order_relaxed)) return;
  try {
    poison_ = std::make_unique<const Error>(
        ErrorCode::kUnavailable,
        "the log takes no more writes since one failed: " + std::string(error.message()) +
            "; reads go on, reopening recovers what is durable");
  } catch (const std::bad_alloc&) {
    poison_ = nullptr;
  }
  is_poisoned_.store(true, std::memory_order_release);
}

Error LocalLog::ring_is_lost() const {
  return {ErrorCode::kIo, ring_path() + ": the mapped file cannot be reached any more (SIGBUS)"};
}

/// The thread ends first, so that nobody but writers that were under way is left. The last frame
/// says that all before it is durable, which is true: it is appended after the flush.
Result<void> LocalLog::close() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  ASHLAR_TRY(flush_to(copied_.load(std::memory_order_acquire)));
  const Entry nothing({}, Room::kReserved);
  Position closed = 0;
  Appended appended = Appended::kNoRoom;
  while (appended == Appended::kNoRoom) {  // A writer that was under way may take the room.
    ASHLAR_TRY(make_room(nothing));
    appended = append_frame(FrameKind::kClose, nothing, closed);
  }
  if (appended == Appended::kNever) return std::unexpected(*poison());
  ASHLAR_TRY(flush_to(closed));
  closed_ = closed;
  return {};
}

/// Relaxed throughout: a wake that comes one commit late does no harm, the next one brings it.
void LocalLog::wake_thread_if_needed() noexcept {
  const Position copied = copied_.load(std::memory_order_relaxed);
  const bool fills = copied - flushed_.load(std::memory_order_relaxed) > options_.ring_bytes / 4;
  const bool ends =
      allocated_end_.load(std::memory_order_relaxed) - copied < options_.segment_bytes / 2;
  if ((!fills && !ends) || !options_.has_thread) [[likely]]
    return;
  if (is_waking_.exchange(true, std::memory_order_relaxed)) return;
  {
    const std::lock_guard lock(thread_mutex_);
    is_woken_ = true;
  }
  thread_wakeup_.notify_one();
}

/// Keeps the ring from filling and a segment in hand, so that writers seldom wait for either.
/// Errors are met again, and reported, by the writer that needs the room.
void LocalLog::run_thread(const std::stop_token& stop) {
  {
    const base::MutexLock lock(making_mutex_);
    (void)restore_reserve_locked();
  }
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(thread_mutex_);
      thread_wakeup_.wait(lock, stop, [this] { return is_woken_; });
      is_woken_ = false;
    }
    is_waking_.store(false, std::memory_order_relaxed);
    const Position copied = copied_.load(std::memory_order_acquire);
    if (copied - flushed_.load(std::memory_order_acquire) > options_.ring_bytes / 4) {
      if (!flush_to(copied)) return;
    }
    (void)allocate_to(copied + options_.segment_bytes / 2);
  }
}

}  // namespace ashlar::log
