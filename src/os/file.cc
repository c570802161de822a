// What every caller of a disk would else do for itself, and sooner or later not do: calls that a
// signal has interrupted are made again, short counts are gone on from, and an errno becomes an
// error that names file, call and place.

#include "os/file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace ashlar::os {
namespace {

// Calls `call` until no signal interrupts it. Signals come in finite number; there is no other
// bound.
template <typename Call>
auto uninterrupted(Call call) {
  auto answer = call();
  while (answer == -EINTR) answer = call();
  return answer;
}

// What happened to which file, by which call, and whether freeing space would help.
Error failure_of(const std::string& path, std::string_view call, std::int64_t error) {
  ASHLAR_ASSERT(error < 0, "a failed call answers with a negative errno");
  const char* const reason = ::strerrordesc_np(static_cast<int>(-error));
  const bool is_full = error == -ENOSPC || error == -EDQUOT;
  std::string message = path + ": ";
  message += call;
  message += ": ";
  message += reason != nullptr ? std::string(reason) : "error " + std::to_string(-error);
  return {is_full ? ErrorCode::kOutOfSpace : ErrorCode::kIo, std::move(message)};
}

// The call with the place where it failed, which after short counts lies inside what was asked.
std::string at(std::string_view call, std::uint64_t offset) {
  return std::string(call) + " at " + std::to_string(offset);
}

}  // namespace

File::File(Disk& disk, std::string path, Disk::Handle handle) noexcept
    : disk_(disk), path_(std::move(path)), handle_(handle) {
  ASHLAR_ASSERT(handle_ >= 0, "an open file has a handle");
}

// What `close` says is of no use: all that had to be durable was synced before. Nor is it made
// again after a signal: the handle is gone by then, and may be another file's.
File::~File() {
  disk_.close(handle_);
}

Error File::failure(std::string_view call, int error) const {
  return failure_of(path_, call, error);
}

// Absence is an answer, except for kCreate: there it can only be that of the directory.
Result<std::unique_ptr<File>> File::open(Disk& disk, std::string path, OpenMode mode) {
  const Disk::Handle handle = uninterrupted([&] { return disk.open(path, mode); });
  if (handle == -ENOENT && mode != OpenMode::kCreate) return nullptr;
  if (handle == -EEXIST && mode == OpenMode::kCreate) {
    return std::unexpected(Error(ErrorCode::kUnavailable, path + ": exists already"));
  }
  if (handle < 0) return std::unexpected(failure_of(path, "open", handle));
  return std::unique_ptr<File>(new File(disk, std::move(path), handle));
}

Result<std::size_t> File::read_some(std::uint64_t offset, std::span<char> to) const {
  return go_on_reading(offset, to, 0);
}

// Of `to` the first `done` bytes have been read.
Result<std::size_t> File::go_on_reading(std::uint64_t offset, std::span<char> to,
                                        std::size_t done) const {
  while (done < to.size()) {
    const ssize_t bytes = uninterrupted(
        [&] { return disk_.read(handle_, to.data() + done, to.size() - done, offset + done); });
    if (bytes == 0) break;
    if (bytes < 0) {
      return std::unexpected(failure(at("read", offset + done), static_cast<int>(bytes)));
    }
    done += static_cast<std::size_t>(bytes);
    ASHLAR_ASSERT(done <= to.size(), "no call reads more than it was asked for");
  }
  return done;
}

Result<void> File::read(std::uint64_t offset, std::span<char> to) const {
  ASHLAR_TRY_ASSIGN(const std::size_t bytes, read_some(offset, to));
  return expect_all(offset, to, bytes);
}

// A file that is too short is damaged: who reads exactly so many bytes has been told of them by
// something that was durable.
Result<void> File::expect_all(std::uint64_t offset, std::span<char> to, std::size_t bytes) const {
  if (bytes == to.size()) return {};
  std::string message = path_ + ": ends at " + std::to_string(offset + bytes) + ", before the " +
                        std::to_string(to.size()) + " bytes at " + std::to_string(offset);
  return std::unexpected(Error(ErrorCode::kCorruption, std::move(message)));
}

void File::read_many(std::span<FileRead> reads) {
  if (reads.empty()) return;
  Disk& disk = reads.front().file->disk_;
  std::vector<ReadPart> parts;
  parts.reserve(reads.size());
  for (const FileRead& read : reads) {
    ASHLAR_ASSERT(&read.file->disk_ == &disk, "what is read together is on one disk");
    parts.push_back({.handle = read.file->handle_,
                     .to = read.to.data(),
                     .bytes = read.to.size(),
                     .offset = read.offset});
  }
  disk.read_many(parts);
  for (std::size_t i = 0; i < reads.size(); ++i) {
    reads[i].result = reads[i].file->finish(reads[i], parts[i].result);
  }
}

// What one of several reads has come to, and what is missing of it by itself.
Result<void> File::finish(const FileRead& read, ssize_t answer) const {
  if (answer < 0 && answer != -EINTR && answer != -EAGAIN) {
    return std::unexpected(failure(at("read", read.offset), static_cast<int>(answer)));
  }
  const std::size_t done = answer > 0 ? static_cast<std::size_t>(answer) : 0;
  ASHLAR_ASSERT(done <= read.to.size(), "no call reads more than it was asked for");
  ASHLAR_TRY_ASSIGN(const std::size_t bytes, go_on_reading(read.offset, read.to, done));
  return expect_all(read.offset, read.to, bytes);
}

Result<void> File::write(std::uint64_t offset, std::span<const char> from) {
  std::size_t done = 0;
  while (done < from.size()) {
    const ssize_t bytes = uninterrupted([&] {
      return disk_.write(handle_, from.data() + done, from.size() - done, offset + done);
    });
    // A disk that takes nothing and gives no reason must not hold us for ever.
    const int error = bytes == 0 ? -EIO : static_cast<int>(std::min<ssize_t>(bytes, 0));
    if (error != 0) return std::unexpected(failure(at("write", offset + done), error));
    done += static_cast<std::size_t>(bytes);
    ASHLAR_ASSERT(done <= from.size(), "no call writes more than it was given");
  }
  return {};
}

Result<void> File::sync() {
  // An interrupted call has not failed: it has not been made, so it may be made again.
  const int answer = uninterrupted([&] { return disk_.sync(handle_); });
  if (answer != 0) return std::unexpected(failure("sync", answer));
  return {};
}

Result<std::uint64_t> File::size() const {
  const std::int64_t bytes = uninterrupted([&] { return disk_.size(handle_); });
  if (bytes < 0) return std::unexpected(failure("size", static_cast<int>(bytes)));
  return static_cast<std::uint64_t>(bytes);
}

Result<void> File::allocate(std::uint64_t bytes, NewSpace space) {
  const int answer = uninterrupted([&] { return disk_.allocate(handle_, bytes, space); });
  if (answer != 0) {
    return std::unexpected(failure("allocate " + std::to_string(bytes) + " bytes", answer));
  }
  return {};
}

Result<void> File::truncate(std::uint64_t bytes) {
  const int answer = uninterrupted([&] { return disk_.truncate(handle_, bytes); });
  if (answer != 0) return std::unexpected(failure(at("truncate", bytes), answer));
  return {};
}

Result<bool> File::lock(LockMode mode) {
  const int answer = uninterrupted([&] { return disk_.lock(handle_, mode); });
  if (answer == -EWOULDBLOCK) return false;
  if (answer != 0) return std::unexpected(failure("lock", answer));
  return true;
}

Mapping::Mapping(Disk& disk, char* address, std::size_t bytes, FaultGuard guard) noexcept
    : disk_(disk), address_(address), bytes_(bytes), guard_(std::move(guard)) {
  ASHLAR_ASSERT(address_ != nullptr, "a mapping has an address");
}

// Nothing is lost when it fails: stores are in the file already.
Mapping::~Mapping() {
  disk_.unmap(address_, bytes_);
}

// The guard is there before anybody can access the memory: a fault without it ends the process.
Result<std::unique_ptr<Mapping>> Mapping::make(File& file, std::size_t bytes) {
  ASHLAR_ASSERT(bytes > 0, "a mapping holds at least one byte");
  char* address = nullptr;
  const int answer = uninterrupted([&] { return file.disk_.map(file.handle_, bytes, &address); });
  ASHLAR_ASSERT(answer <= 0, "a disk answers with 0 or a negative errno");
  if (answer != 0) {
    return std::unexpected(file.failure("map " + std::to_string(bytes) + " bytes", answer));
  }
  auto guard = FaultGuard::watch(address, bytes);
  if (!guard) {
    file.disk_.unmap(address, bytes);
    return std::unexpected(
        Error(guard.error().code(), file.path() + ": " + std::string(guard.error().message())));
  }
  return std::unique_ptr<Mapping>(new Mapping(file.disk_, address, bytes, *std::move(guard)));
}

// Names are durable after a sync of their directory (F3), which is the caller's: it may have more
// than one name to change first.
Result<void> rename_file(Disk& disk, const std::string& from, const std::string& to) {
  const int answer = uninterrupted([&] { return disk.rename(from, to); });
  if (answer != 0) return std::unexpected(failure_of(from, "rename to " + to, answer));
  return {};
}

// A file that is gone already is what was asked for: a removal before a crash may have got through.
Result<bool> remove_file(Disk& disk, const std::string& path) {
  const int answer = uninterrupted([&] { return disk.remove(path); });
  if (answer == -ENOENT) return false;
  if (answer != 0) return std::unexpected(failure_of(path, "remove", answer));
  return true;
}

// What the file system cannot do the caller can do otherwise: by a copy.
Result<bool> link_file(Disk& disk, const std::string& from, const std::string& to) {
  const int answer = uninterrupted([&] { return disk.link(from, to); });
  switch (answer) {
    case 0:
      return true;
    case -EXDEV:
    case -EPERM:
    case -EMLINK:
    case -EOPNOTSUPP:
    case -ENOSYS:
      return false;
    default:
      return std::unexpected(failure_of(from, "link to " + to, answer));
  }
}

namespace {

/// "." for a name without a directory, "/" for one in the root.
std::string directory_above(const std::string& path) {
  const std::size_t slash = path.find_last_of('/', path.find_last_not_of('/'));
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<bool> make_directory(Disk& disk, const std::string& path) {
  const int answer = uninterrupted([&] { return disk.make_directory(path); });
  if (answer != 0 && answer != -EEXIST) {
    return std::unexpected(failure_of(path, "make directory", answer));
  }
  // Also of one that was there: who made it may have ended before its name was durable.
  ASHLAR_TRY(sync_directory(disk, directory_above(path)));
  return answer == 0;
}

Result<void> sync_directory(Disk& disk, const std::string& path) {
  const int answer = uninterrupted([&] { return disk.sync_directory(path); });
  if (answer != 0) return std::unexpected(failure_of(path, "sync directory", answer));
  return {};
}

// Ascending, so that what is decided from a listing does not depend on the file system.
Result<std::vector<std::string>> list_directory(Disk& disk, const std::string& path) {
  std::vector<std::string> names;
  const int answer = uninterrupted([&] { return disk.list(path, names); });
  if (answer != 0) return std::unexpected(failure_of(path, "list", answer));
  std::ranges::sort(names);
  return names;
}

}  // namespace ashlar::os
