/// \file
/// A log of small segments and what is kept of it, with no database around them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "db/changes/history.h"
#include "engine/operation_codec.h"
#include "log/local_log.h"
#include "os/manual_clock.h"

namespace ashlar::db {

/// Threads: those of a log.
class LogAndHistory {
 public:
  static constexpr std::size_t kSegmentBytes = std::size_t{64} << 10U;
  static constexpr std::size_t kFileBytes = kSegmentBytes + os::kBlockBytes;
  static constexpr std::size_t kRingBytes = std::size_t{16} << 10U;
  static constexpr std::uint64_t kAll = std::uint64_t{1} << 40U;

  LogAndHistory(os::Disk& disk, const os::Clock& clock, const HistoryLimits& limits = {},
                log::SegmentHeir* next = nullptr)
      : disk_(disk), clock_(clock), limits_(limits), next_(next) {}

  /// Opens the log behind `start`; one that is open goes first, as with a process that is killed.
  Result<void> open(const log::Start& start = {}) {
    kill();
    history_ = std::make_unique<History>(History::World{.disk = disk_,
                                                        .clock = clock_,
                                                        .log_folder = "/log",
                                                        .folder = "/history",
                                                        .next = next_},
                                         limits_);
    log::LogReport report;
    ASHLAR_TRY_ASSIGN(log_, log::LocalLog::open(
                                disk_, "/log",
                                {.segment_bytes = kSegmentBytes,
                                 .ring_bytes = kRingBytes,
                                 .has_thread = false,
                                 .heir = history_.get()},
                                start, [](const log::Frame&) { return Result<void>(); }, report));
    return history_->attach(log_->id(), log_->segments().front().header.number);
  }

  void kill() {
    log_.reset();
    history_.reset();
  }

  /// Appends one commit and returns where the log goes on behind it.
  log::Start append(std::string_view payload) {
    const log::Entry entry(payload);
    log::Position end = 0;
    while (true) {
      const auto room = log_->make_room(entry);
      EXPECT_TRUE(room.has_value()) << room.error().message();
      if (!room) return {};
      if (log_->try_append(entry, end) == log::Appended::kYes) return log_->end();
    }
  }

  /// Appends commits, each with the moment at hand, until so many more segments are full.
  void fill_segments(int count) {
    for (int i = 0; i < 8 * count; ++i) {
      std::string payload;
      engine::PayloadWriter(payload, clock_.now_ms())
          .add({.key = "filler", .value = std::string(kSegmentBytes / 8 - 64, 'f')});
      append(payload);
    }
  }

  /// Makes all of the log durable and gives up what can be.
  Result<void> give_up() {
    const log::Position end = log_->end().position;
    ASHLAR_TRY(log_->durable(end));
    return log_->truncate_before(end);
  }

  log::LocalLog& log() noexcept { return *log_; }
  History& history() noexcept { return *history_; }

  static std::vector<std::string> folders() { return {"/history", "/log"}; }

 private:
  os::Disk& disk_;
  const os::Clock& clock_;
  const HistoryLimits limits_;
  log::SegmentHeir* const next_;
  std::unique_ptr<History> history_;
  std::unique_ptr<log::LocalLog> log_;
};

}  // namespace ashlar::db
