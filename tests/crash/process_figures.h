/// \file
/// What this process holds of the machine: memory, open files, bytes on disk.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <stop_token>
#include <thread>

namespace ashlar::crash {

/// Bytes of this process that are in memory, without pages of files: VmRSS less RssFile, which is
/// the program itself, its libraries and the mapped ring of the log. 0 when the system does not
/// say.
std::uint64_t resident_bytes();

/// Files, sockets and the like that this process has open.
std::uint64_t open_file_count();

/// What the files under `directory` take on the disk, in bytes.
std::uint64_t bytes_on_disk(const std::filesystem::path& directory);

/// Looks at the resident memory again and again, in a thread of its own.
///
/// Threads: thread-safe.
class ResidentWatch {
 public:
  ResidentWatch();
  ResidentWatch(const ResidentWatch&) = delete;
  ResidentWatch& operator=(const ResidentWatch&) = delete;

  /// The most there was.
  std::uint64_t bytes_max() const noexcept { return bytes_max_.load(); }
  std::uint64_t look_count() const noexcept { return look_count_.load(); }

 private:
  void look_until(const std::stop_token& stop);

  std::atomic<std::uint64_t> bytes_max_{0};
  std::atomic<std::uint64_t> look_count_{0};
  std::mutex mutex_;  // Guards nothing: to wait with.
  std::condition_variable_any wake_;
  std::jthread thread_;  // Last, so that it ends first.
};

}  // namespace ashlar::crash
