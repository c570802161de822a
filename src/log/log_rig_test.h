/// \file
/// A log in a temporary directory, small enough that a test goes round it many times.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "log/local_log.h"
#include "os/posix_disk.h"
#include "testing/temporary_directory.h"

namespace ashlar::log {

class LogRig {
 public:
  static constexpr std::size_t kSegmentBytes = std::size_t{64} << 10U;
  static constexpr std::size_t kRingBytes = std::size_t{16} << 10U;

  explicit LogRig(bool has_thread = false) { options_.has_thread = has_thread; }

  /// Opens the log, collecting the payloads of its commits in `replayed_`.
  Result<void> open(Start start = {}) {
    replayed_.clear();
    report_ = {};
    const auto replay = [this](const Frame& frame) -> Result<void> {
      replayed_.emplace_back(frame.payload);
      return {};
    };
    ASHLAR_TRY_ASSIGN(log_, LocalLog::open(disk_, path(), options_, start, replay, report_));
    return {};
  }

  /// Leaves the log as a process that was killed does: the page cache keeps what it has.
  void crash() { log_.reset(); }

  /// Appends one commit and returns the position behind it.
  Position append(std::string_view payload) {
    const Entry entry(payload);
    while (true) {
      const auto room = log_->make_room(entry);
      EXPECT_TRUE(room.has_value()) << room.error().message();
      Position end = 0;
      const Appended appended = log_->try_append(entry, end);
      if (appended != Appended::kNoRoom) {
        EXPECT_EQ(appended, Appended::kYes);
        return end;
      }
    }
  }

  std::string path() const { return (directory_.path() / "log").string(); }
  std::string segment_path(std::uint64_t number) const {
    return path() + "/" + segment_name(number);
  }

  /// Changes one bit of a file.
  void flip(const std::string& file_path, std::uint64_t offset, unsigned bit) {
    auto file = os::File::open(disk_, file_path, os::OpenMode::kReadWrite);
    ASSERT_TRUE(file.has_value() && *file != nullptr);
    char byte = 0;
    ASSERT_TRUE((*file)->read(offset, {&byte, 1}).has_value());
    byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit));
    ASSERT_TRUE((*file)->write(offset, {&byte, 1}).has_value());
  }

  testing::TemporaryDirectory directory_;
  os::PosixDisk disk_;
  LocalLogOptions options_{.segment_bytes = kSegmentBytes, .ring_bytes = kRingBytes};
  LogReport report_;
  std::vector<std::string> replayed_;
  std::unique_ptr<LocalLog> log_;
};

}  // namespace ashlar::log
