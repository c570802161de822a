#include "loop_volume.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace ashlar::crash {
namespace {

// The least that mkfs.xfs accepts; the image is sparse.
constexpr off_t kImageBytes = off_t{320} << 20U;

// FS_IOC_SHUTDOWN, which the headers of Debian 12 have under the name of each file system only.
constexpr unsigned long kShutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t kWithoutLog = 2;

std::unexpected<Error> failure(ErrorCode code, const std::string& what) {
  return std::unexpected(Error(code, what + ": " + std::strerror(errno)));
}

/// A descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  const int fd_;
};

/// Mounts from now on are seen by this process and its children, and end with them.
Result<void> leave_mount_namespace() {
  if (unshare(CLONE_NEWNS) != 0) return failure(ErrorCode::kUnavailable, "a mount namespace");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return failure(ErrorCode::kUnavailable, "private mounts");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<LoopVolume>> LoopVolume::make(const std::string& type) {
  if (geteuid() != 0) {
    return std::unexpected(
        Error::of_literal(ErrorCode::kUnavailable, "only root may mount a file system"));
  }
  ASHLAR_TRY(leave_mount_namespace());
  std::unique_ptr<LoopVolume> volume(new LoopVolume(type));
  ASHLAR_TRY(volume->attach());
  ASHLAR_TRY(volume->format());
  auto mounted = volume->mount();
  if (!mounted) {
    return std::unexpected(Error(ErrorCode::kUnavailable, std::string(mounted.error().message())));
  }
  return volume;
}

LoopVolume::~LoopVolume() {
  if (is_mounted_) ::umount2(path().c_str(), MNT_DETACH);
  if (device_ >= 0) ::close(device_);
}

/// Puts an image without a name behind a loop device.
Result<void> LoopVolume::attach() {
  const std::string image_path = path() / "image";
  const Descriptor image(::open(image_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (image.get() < 0 || ::ftruncate(image.get(), kImageBytes) != 0) {
    return failure(ErrorCode::kUnavailable, image_path);
  }
  ::unlink(image_path.c_str());
  const Descriptor control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (control.get() < 0) return failure(ErrorCode::kUnavailable, "/dev/loop-control");
  // Somebody else may take the device between the two calls.
  for (int attempt = 0; attempt < 20 && device_ < 0; ++attempt) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return failure(ErrorCode::kUnavailable, "no loop device is free");
    device_path_ = "/dev/loop" + std::to_string(number);
    const int device = ::open(device_path_.c_str(), O_RDWR | O_CLOEXEC);
    if (device < 0) return failure(ErrorCode::kUnavailable, device_path_);
    loop_config config{};
    config.fd = static_cast<std::uint32_t>(image.get());
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (::ioctl(device, LOOP_CONFIGURE, &config) == 0) {
      device_ = device;
    } else {
      ::close(device);
    }
  }
  if (device_ < 0) return failure(ErrorCode::kUnavailable, device_path_);
  return {};
}

Result<void> LoopVolume::format() const {
  const std::string program = "mkfs." + type_;
  const pid_t child = fork();
  if (child < 0) return failure(ErrorCode::kUnavailable, "fork");
  if (child == 0) {
    const int quiet = ::open("/dev/null", O_WRONLY);
    ::dup2(quiet, STDERR_FILENO);
    ::setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
    const char* const force = type_ == "xfs" ? "-f" : "-F";
    ::execlp(program.c_str(), program.c_str(), "-q", force, device_path_.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return std::unexpected(Error(ErrorCode::kUnavailable, program + " is missing or fails"));
}

Result<void> LoopVolume::mount() {
  ASHLAR_ASSERT(!is_mounted_, "a volume is mounted once");
  if (::mount(device_path_.c_str(), path().c_str(), type_.c_str(), 0, nullptr) != 0) {
    return failure(ErrorCode::kIo, "mounting " + device_path_ + " as " + type_);
  }
  is_mounted_ = true;
  return {};
}

Result<void> LoopVolume::unmount() {
  ASHLAR_ASSERT(is_mounted_, "a volume that is unmounted was mounted");
  if (::umount(path().c_str()) != 0) return failure(ErrorCode::kIo, "unmounting");
  is_mounted_ = false;
  return {};
}

Result<void> LoopVolume::cut_power() {
  const Descriptor root(::open(path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::uint32_t how = kWithoutLog;
  if (root.get() < 0 || ::ioctl(root.get(), kShutdown, &how) != 0) {
    return failure(ErrorCode::kIo, "shutting the file system down");
  }
  return {};
}

Result<void> LoopVolume::remount() {
  ASHLAR_TRY(unmount());
  return mount();
}

}  // namespace ashlar::crash
