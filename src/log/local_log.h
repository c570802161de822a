/// \file
/// The log on one machine: a mapped ring that every commit is copied into, and segments that the
/// ring is written to.
///
/// The ring is a file that is mapped shared. A commit is in the page cache as soon as it has been
/// copied, and so survives the process; that takes no system call. It survives a power cut once it
/// has been written from the ring to the segments, past the page cache and with the disk's cache
/// flushed. Whoever waits for that first does the writing, for all commits that are in the ring by
/// then; the others wait. A thread of the log writes as well when the ring fills, and makes the
/// next segment ahead of need.
///
/// Invariants:
///   L1 to L3 in frame.h, L9 in ring.h
///   L4  The ring holds all bytes from the block that `flushed_` lies in up to `copied_`.
///   L5  `flushed_` never falls between the two ends of a frame, a long one while it is appended
///       apart. So the frames that only the ring has are whole there.
///   L6  No byte of the log goes to a segment before all bytes in front of it are durable.
///   L7  After a write or sync has failed, or the ring's file cannot be reached, nothing is taken,
///       and nothing is reported durable.
///   L8  Ordinary commits leave the space of one segment free, as `reserve` or for the commits that
///       give space back, unless the disk had not that much when the log was opened.
///   L12 A segment whose file an heir has taken (SegmentHeir in log.h) is never written to again,
///       under whatever name. So a byte stays where a position says it is: in the ring, or in a
///       segment, or with the heir.
///
/// Source: the pair of back-ends after Aether (Johnson et al., 2010) and Pebble's commit pipeline;
/// failure of fsync as final after "Can Applications Recover from fsync Failures?" (2020).
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/thread_safety.h"
#include "log/log.h"
#include "log/ring.h"
#include "log/segment.h"
#include "os/file.h"
#include "os/wait_word.h"

namespace ashlar::log {

struct LocalLogOptions {
  std::uint64_t segment_bytes = std::uint64_t{64} << 20U;  ///< Of the log; whole blocks.
  std::size_t ring_bytes = std::size_t{8} << 20U;          ///< Whole blocks, at least four.
  bool has_thread = true;                                  ///< Off for tests that own the order.
  LogId new_log_id = 1;                                    ///< For a log that is made: random.
  SegmentHeir* heir = nullptr;  ///< Asked before a segment goes; outlives the log. Null: nobody.
};

/// What opening found.
struct LogReport {
  std::uint64_t frame_count = 0;
  std::uint64_t torn_bytes = 0;  ///< Behind the end: frames that nobody was promised.
  bool was_closed = false;       ///< In order; nothing can have been lost.
};

class LocalLog final : public Log {
 public:
  /// Opens the log in `directory`, or makes it there, and hands every commit after `start` to
  /// `replay`. Opening changes nothing that a second opening would miss: it may crash anywhere.
  ///
  /// Errors:   kCorruption  a frame that was durable is damaged, or files are missing
  ///           kIo, kOutOfSpace
  /// Lifetime: `disk` must outlive the log
  static Result<std::unique_ptr<LocalLog>> open(os::Disk& disk, std::string directory,
                                                const LocalLogOptions& options, Start start,
                                                const Visit& replay, LogReport& report);
  ~LocalLog() override;

  Result<void> make_room(const Entry& entry) override;
  Appended try_append(const Entry& entry, Position& end) noexcept override;
  Result<void> durable(Position position) override;
  Result<Start> read_from(Start start, const Visit& visit) override;
  Start end() const override;
  Result<void> truncate_before(Position position) override;
  Result<void> release_reserve() override;
  const Error* poison() const noexcept override;

  /// Makes everything durable and notes that the log was closed in order. A commit that was under
  /// way may still follow; it survives the process.
  Result<void> close();

  /// The least that giving up a part of the log can give back to the disk.
  std::uint64_t segment_bytes() const noexcept { return options_.segment_bytes; }

  LogId id() const noexcept { return log_id_; }

  // For those who remember where in the log something lies.

  /// A segment as its file stands now.
  struct PlacedSegment {
    SegmentHeader header;
    std::string path;
  };

  /// The segments, ascending. Nothing keeps one in its place.
  std::vector<PlacedSegment> segments() const;

  /// Fills `to` with the bytes from `position` on, if they are not in segments yet.
  ///
  /// Input:   to  part of a frame that was appended
  /// Returns: false when they are in segments, durably; or nowhere
  /// Cost:    a short lock and a copy beside which nobody appends
  bool try_read_unflushed(Position position, std::span<char> to) const noexcept;

  /// Fills `to` with the bytes from `position` on, durable or not, if the ring has them and is not
  /// about to write over them: for those who follow the end of the log.
  ///
  /// Cost: a copy; no lock, and nobody is held up
  bool try_read_recent(Position position, std::span<char> to) const noexcept;

  /// Everything before it survives a power cut.
  Position durable_end() const noexcept { return flushed_.load(std::memory_order_acquire); }

  /// The same, between two frames: `durable_end` is in the midst of a long one while that is being
  /// made durable in pieces (L5).
  Position durable_frame_end() const noexcept;

 private:
  class Hold;  // Of one reader on all segments from a position on.

  /// A segment open for writing.
  struct Segment {
    SegmentHeader header;
    std::string path;
    std::unique_ptr<os::File> file;
  };

  LocalLog(os::Disk& disk, std::string directory, const LocalLogOptions& options);

  // local_log_open.cc
  Result<void> recover(Start start, const Visit& replay, LogReport& report);
  Result<void> find_reserve();
  Result<void> begin_new(Start start, const RingImage& ring);
  Result<void> read_all(LogReader& reader, RingImage& ring, const Visit& replay, LogReport& report);
  Result<void> sync_ring();
  Result<void> settle(LogReader& reader, const SegmentSet& found, const RingImage& ring);
  Result<void> zero_behind(Position end, std::size_t ring_bytes);
  Result<void> renew_ring(Position durable, RingRest rest);
  std::string ring_path() const { return directory_ + "/ring"; }

  // local_log.cc
  bool has_ring_room(std::size_t frame_bytes) const noexcept;
  bool append_long(const FrameHeader& header, const char* encoded,
                   std::string_view payload) noexcept ASHLAR_REQUIRES(append_mutex_);
  Appended append_frame(FrameKind kind, const Entry& entry, Position& end) noexcept;
  Result<void> flush_to(Position position);
  bool wait_or_lead(Position position, std::optional<unsigned>& joined);
  void gather();
  void lead();
  bool lead_flush(Position to, Position mark) noexcept;
  Result<void> flush_once(Position to, Position mark);
  Result<void> write_padded(Position begin, std::string_view bytes);
  Result<void> write_blocks(Position begin, std::string_view blocks);
  void poison_with(const Error& error) noexcept;
  Error ring_is_lost() const;
  void wake_thread_if_needed() noexcept;
  void run_thread(const std::stop_token& stop);

  // local_log_segments.cc
  Result<void> allocate_to(Position end, Room room = Room::kOrdinary);
  Position allocated_end(Room room) const noexcept;
  Result<void> add_segment_locked(Room room) ASHLAR_REQUIRES(making_mutex_);
  Result<void> find_file_locked(const std::string& path, Room room) ASHLAR_REQUIRES(making_mutex_);
  Result<void> make_file_locked(const std::string& path, os::NewSpace space)
      ASHLAR_REQUIRES(making_mutex_);
  Result<void> restore_reserve_locked() ASHLAR_REQUIRES(making_mutex_);
  SegmentHeader next_header() const ASHLAR_REQUIRES(making_mutex_);
  void list(Segment segment) ASHLAR_REQUIRES(making_mutex_);
  std::optional<PlacedSegment> find_before(Position position) const ASHLAR_REQUIRES(making_mutex_);
  const Segment* first_before(Position position) const noexcept ASHLAR_REQUIRES(segments_mutex_);
  std::unique_ptr<Segment> unlist_before(Position position) ASHLAR_REQUIRES(making_mutex_);
  Result<void> let_go_locked(const PlacedSegment& segment, bool is_taken)
      ASHLAR_REQUIRES(making_mutex_);
  os::NewSpace next_space_locked() ASHLAR_REQUIRES(making_mutex_);
  std::string reserve_path() const { return directory_ + "/reserve"; }
  std::uint64_t segment_file_bytes() const { return os::kBlockBytes + options_.segment_bytes; }
  Result<void> adopt(const SegmentHeader& header);
  Result<SegmentSet> open_for_reading();
  Segment* segment_of(Position position) noexcept;

  // Set at construction, or by `open` before anyone else sees it.
  os::Disk& disk_;
  const std::string directory_;
  const LocalLogOptions options_;
  LogId log_id_ = 0;
  std::unique_ptr<Ring> ring_;
  Position closed_ = 0;  // Where `close` ended the log; 0 before.

  // The end of the log. Taken before all other locks here.
  mutable base::Mutex append_mutex_;
  Start end_ ASHLAR_GUARDED_BY(append_mutex_);

  // Written under append_mutex_ (copied_), by the one who flushes (flushed_), under making_mutex_
  // (the two ends).
  std::atomic<Position> copied_{0};
  std::atomic<Position> whole_end_{0};  // Of the last whole frame; written after copied_.
  std::atomic<Position> flushed_{0};
  // Of the last frame that was appended apart, written before any of it is.
  std::atomic<Position> long_begin_{0};
  std::atomic<Position> long_end_{0};
  std::atomic<std::uint64_t> flush_count_{0};  // Since opening; counts, as the next.
  std::atomic<std::uint64_t> flush_bytes_{0};
  std::atomic<Position> allocated_end_{0};
  std::atomic<Position> ordinary_end_{0};  // What of it is not reserved.

  // Who flushes.
  base::Mutex flush_mutex_;
  unsigned flush_round_ ASHLAR_GUARDED_BY(flush_mutex_) = 0;
  bool is_flushing_ ASHLAR_GUARDED_BY(flush_mutex_) = false;
  Position flush_target_ ASHLAR_GUARDED_BY(flush_mutex_) = 0;  // How far the one under way goes.
  std::array<unsigned, 2> waiter_count_ ASHLAR_GUARDED_BY(flush_mutex_) = {};  // As flush_done_.
  unsigned gather_count_ ASHLAR_GUARDED_BY(flush_mutex_) =
      0;  // The leader waits for so many; or 0.
  unsigned served_count_ ASHLAR_GUARDED_BY(flush_mutex_) = 0;  // Of the round before.
  unsigned gather_pause_ ASHLAR_GUARDED_BY(flush_mutex_) = 0;  // Rounds that do not gather.
  unsigned next_pause_ ASHLAR_GUARDED_BY(flush_mutex_) = 1;    // The same, after the next in vain.
  std::array<os::WaitWord, 2> flush_done_;  // Of this round of flushing and the next.
  os::WaitWord gathered_;
  std::unique_ptr<char[]> staging_memory_;  // Used by the one who flushes.
  char* staging_ = nullptr;                 // In it, aligned to a block.

  // Making segments and giving them up, which takes as long as the disk likes. Before
  // segments_mutex_.
  base::Mutex making_mutex_;
  std::vector<std::string> spares_ ASHLAR_GUARDED_BY(making_mutex_);  // Paths to be used again.
  bool has_reserve_ ASHLAR_GUARDED_BY(making_mutex_) = false;
  // The two counts when a file was made last.
  std::uint64_t made_at_count_ ASHLAR_GUARDED_BY(making_mutex_) = 0;
  std::uint64_t made_at_bytes_ ASHLAR_GUARDED_BY(making_mutex_) = 0;

  // The list of segments, which whoever flushes reads; written under making_mutex_ as well.
  mutable base::Mutex segments_mutex_;
  std::vector<std::unique_ptr<Segment>> segments_ ASHLAR_GUARDED_BY(segments_mutex_);
  std::multiset<Position> held_ ASHLAR_GUARDED_BY(segments_mutex_);  // Readers need it from there.

  std::atomic<bool> is_poisoned_{false};
  base::Mutex poison_mutex_;
  std::unique_ptr<const Error> poison_;  // Written once under poison_mutex_, before the flag.
  const Error plain_poison_;             // Told where there was no memory for the reason.

  // The thread.
  std::mutex thread_mutex_;
  std::condition_variable_any thread_wakeup_;
  bool is_woken_ = false;               // Guarded by thread_mutex_.
  std::atomic<bool> is_waking_{false};  // A wake is on its way: no other is needed.
  std::jthread thread_;                 // Last, so that it ends first.
};

}  // namespace ashlar::log
