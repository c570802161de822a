/// \file
/// How keys that nobody has erased get out of an engine whose log is followed: each is a commit of
/// its own, which the engine asks for at the moment at which the key goes.
#pragma once

#include <cstdint>
#include <string_view>

namespace ashlar::engine {

/// Why a key goes that nobody has erased.
enum class Reclaimed : std::uint8_t {
  kExpired,  ///< It is past its deadline, so nobody could see it any more.
  kEvicted,  ///< It makes room at the memory budget.
};

/// The log as an engine sees it that reclaims keys.
///
/// Threads: thread-safe.
class ReclaimLog {
 public:
  ReclaimLog() = default;
  ReclaimLog(const ReclaimLog&) = delete;
  ReclaimLog& operator=(const ReclaimLog&) = delete;

  /// Puts the going of `key` into the log. Called when nothing else can fail and no commit of the
  /// key can come between, as Commit::append is; the engine then lets the key go.
  ///
  /// Returns: false when the log does not take it now; the key stays as it is
  /// Cost:    locks of the engine are held meanwhile, so this waits for nothing that takes long
  virtual bool append(Reclaimed why, std::string_view key) noexcept = 0;

  /// Makes room for what `append` has refused. Never with a key locked: it waits for the disk.
  ///
  /// Returns: whether it is of use to ask again at once
  virtual bool make_room() noexcept = 0;

 protected:
  ~ReclaimLog() = default;
};

}  // namespace ashlar::engine
