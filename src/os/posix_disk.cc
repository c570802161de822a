// One system call for most functions, and no state but idle rings: EINTR and short counts are
// passed on, since file.h deals with them for every disk alike.

#include "os/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace ashlar::os {
namespace {

// Large enough that few calls make a segment, and small enough for a signal to be answered.
constexpr std::size_t kZeroStepBytes = std::size_t{1} << 20U;
static_assert(kZeroStepBytes % kBlockBytes == 0, "a step may go past the page cache");

// What a system call that answers -1 on failure comes to in the terms of `Disk`.
template <typename Answer>
Answer or_error(Answer answer) noexcept {
  return answer < 0 ? static_cast<Answer>(-errno) : answer;
}

// Asks for direct access first; a file system without it says that the flags make no sense.
int open_durable(const char* path) noexcept {
  constexpr int kFlags = O_RDWR | O_DSYNC | O_CLOEXEC;
  const int direct = ::open(path, kFlags | O_DIRECT);
  if (direct >= 0 || errno != EINVAL) return direct;
  return ::open(path, kFlags);
}

// The kernel guesses from the pages around what may be read next, and is wrong where the order is
// that of hashed keys: a quarter of what it read for such reads nobody asked for.
int open_here(const char* path) noexcept {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);  // Advice: none is no error.
  return fd;
}

// O_CLOEXEC throughout: a program that the application starts must not keep our locks.
int open_in(const char* path, OpenMode mode) noexcept {
  switch (mode) {
    case OpenMode::kRead:
      return ::open(path, O_RDONLY | O_CLOEXEC);
    case OpenMode::kReadHere:
      return open_here(path);
    case OpenMode::kReadWrite:
      return ::open(path, O_RDWR | O_CLOEXEC);
    case OpenMode::kCreate:
      return ::open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    case OpenMode::kDurable:
      return open_durable(path);
  }
  ASHLAR_ASSERT(false, "a file is opened in one of five modes");
}

// Zeros that take no memory: all their pages are the one zero page of the system.
class Zeros {
 public:
  Zeros() noexcept
      : begin_(::mmap(nullptr, kZeroStepBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  Zeros(const Zeros&) = delete;
  Zeros& operator=(const Zeros&) = delete;
  ~Zeros() {
    if (is_valid()) ::munmap(begin_, kZeroStepBytes);
  }
  bool is_valid() const noexcept { return begin_ != MAP_FAILED; }
  const void* begin() const noexcept { return begin_; }

 private:
  void* begin_;
};

// Goes on after EINTR by itself, or a long run would begin again with each signal.
//
// Returns: 0 when all of [from, end) is zero and has its space
int write_zeros(int fd, std::uint64_t from, std::uint64_t end) noexcept {
  const Zeros zeros;
  if (!zeros.is_valid()) return -ENOMEM;
  while (from < end) {
    const std::size_t step = std::min<std::uint64_t>(kZeroStepBytes, end - from);
    const ssize_t written = ::pwrite(fd, zeros.begin(), step, static_cast<off_t>(from));
    if (written == 0) return -EIO;  // No progress and no reason: it must not go on for ever.
    if (written < 0 && errno != EINTR) return -errno;
    if (written > 0) from += static_cast<std::uint64_t>(written);
  }
  return 0;
}

// Past the page cache, into which the zeros would be copied only to be thrown out again: 28 % of
// the processor's time of a load that makes three segments of a log.
//
// Returns: false when it cannot be done so, or was not done to the end
bool write_zeros_directly(int fd, std::uint64_t from, std::uint64_t end) noexcept {
  if (from % kBlockBytes != 0 || end % kBlockBytes != 0) return false;
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  const int direct = ::open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
  if (direct < 0) return false;
  const bool is_done = write_zeros(direct, from, end) == 0;
  ::close(direct);
  return is_done;
}

}  // namespace

// A new name is durable after `sync_directory` and not before (F3); `open` does not see to that.
Disk::Handle PosixDisk::open(const std::string& path, OpenMode mode) {
  return or_error(open_in(path.c_str(), mode));
}

int PosixDisk::close(Handle handle) {
  return or_error(::close(handle));
}

ssize_t PosixDisk::read(Handle handle, char* to, std::size_t bytes, std::uint64_t offset) {
  return or_error(::pread(handle, to, bytes, static_cast<off_t>(offset)));
}

// What no ring has answered is read as if there were none.
void PosixDisk::read_many(std::span<ReadPart> parts) {
  for (ReadPart& part : parts) part.result = -EAGAIN;
  std::unique_ptr<ReadRing> ring;
  if (ring_use_ == RingUse::kWherePossible && parts.size() > 1) ring = rings_.take();
  bool is_good = ring != nullptr;
  for (std::size_t begin = 0; is_good && begin < parts.size(); begin += ReadRing::kPartsMax) {
    const std::size_t count = std::min(ReadRing::kPartsMax, parts.size() - begin);
    is_good = ring->read(parts.subspan(begin, count));
  }
  if (is_good) {
    rings_.put(std::move(ring));
  } else if (ring != nullptr) {
    ring.reset();
    rings_.forget();
  }
  for (ReadPart& part : parts) {
    if (part.result == -EAGAIN) part.result = read(part.handle, part.to, part.bytes, part.offset);
  }
}

void PosixDisk::read_ahead(Handle handle, std::size_t bytes, std::uint64_t offset) {
  (void)::posix_fadvise(handle, static_cast<off_t>(offset), static_cast<off_t>(bytes),
                        POSIX_FADV_WILLNEED);
}

// Durable on return through a kDurable handle (F2): O_DSYNC is asked for at `open`.
ssize_t PosixDisk::write(Handle handle, const char* from, std::size_t bytes, std::uint64_t offset) {
  return or_error(::pwrite(handle, from, bytes, static_cast<off_t>(offset)));
}

// The length is content enough for fdatasync; times and permissions are not worth a write.
int PosixDisk::sync(Handle handle) {
  return or_error(::fdatasync(handle));
}

std::int64_t PosixDisk::size(Handle handle) {
  struct stat status{};
  if (::fstat(handle, &status) != 0) return -errno;
  ASHLAR_ASSERT(status.st_size >= 0, "a file has no negative length");
  return status.st_size;
}

int PosixDisk::allocate(Handle handle, std::uint64_t bytes, NewSpace space) {
  const std::int64_t old_bytes = size(handle);
  if (old_bytes < 0) return static_cast<int>(old_bytes);
  const auto from = static_cast<std::uint64_t>(old_bytes);
  if (bytes == 0) return 0;
  // Where zeros are to come the length stays: it grows with them, so that after an interruption in
  // the middle of either the next attempt goes on where this one stopped.
  // Space for all of it before the first zero: a full disk is found out while nothing has changed.
  const int mode = space == NewSpace::kZeroed ? FALLOC_FL_KEEP_SIZE : 0;
  const bool is_reserved = ::fallocate(handle, mode, 0, static_cast<off_t>(bytes)) == 0;
  if (!is_reserved && errno != EOPNOTSUPP && errno != ENOSYS) return -errno;
  if (from >= bytes || (is_reserved && space == NewSpace::kSetAside)) return 0;
  if (write_zeros_directly(handle, from, bytes)) return 0;
  return write_zeros(handle, from, bytes);
}

int PosixDisk::truncate(Handle handle, std::uint64_t bytes) {
  return or_error(::ftruncate(handle, static_cast<off_t>(bytes)));
}

// MAP_SHARED: stores are in the page cache, and so outlive the process, without any call.
int PosixDisk::map(Handle handle, std::size_t bytes, char** address) {
  ASHLAR_ASSERT(bytes > 0, "a mapping holds at least one byte");
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
  if (mapped == MAP_FAILED) return -errno;
  ASHLAR_ASSERT(mapped != nullptr, "the system maps nothing at the null address unasked");
  *address = static_cast<char*>(mapped);
  return 0;
}

int PosixDisk::unmap(char* address, std::size_t bytes) {
  return or_error(::munmap(address, bytes));
}

// Held by the open file, not by the process: two handles of one process exclude each other too.
int PosixDisk::lock(Handle handle, LockMode mode) {
  return or_error(::flock(handle, (mode == LockMode::kAlone ? LOCK_EX : LOCK_SH) | LOCK_NB));
}

int PosixDisk::rename(const std::string& from, const std::string& to) {
  return or_error(::rename(from.c_str(), to.c_str()));
}

int PosixDisk::remove(const std::string& path) {
  return or_error(::unlink(path.c_str()));
}

// A symbolic link is not followed: the new name is one of the link itself.
int PosixDisk::link(const std::string& from, const std::string& to) {
  return or_error(::link(from.c_str(), to.c_str()));
}

int PosixDisk::make_directory(const std::string& path) {
  return or_error(::mkdir(path.c_str(), S_IRWXU));
}

int PosixDisk::sync_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -errno;
  const int answer = or_error(::fsync(fd));  // Before `close` has a chance to set errno.
  ::close(fd);
  return answer;
}

int PosixDisk::list(const std::string& path, std::vector<std::string>& names) {
  names.clear();
  DIR* const directory = ::opendir(path.c_str());  // Sets O_CLOEXEC by itself.
  if (directory == nullptr) return -errno;
  errno = 0;  // The only way to tell the end from a failure.
  // Nobody else has this stream, which is all that `readdir` asks for.
  while (const dirent* entry = ::readdir(directory)) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  const int answer = -errno;
  ::closedir(directory);
  return answer;
}

}  // namespace ashlar::os
