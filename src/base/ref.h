/// \file
/// Shared ownership of few, large, long-lived things: the count lies in the thing itself.
///
/// Taking and dropping a reference is an atomic read-modify-write (some 10 ns, and 190 to 715 ns
/// when the other core had the line), so neither belongs on the way of a read: readers are
/// protected by an epoch, and only what replaces and what frees counts.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/assert.h"

namespace ashlar::base {

/// What can be shared by `Ref`. Begins with no owner; the last `Ref` to go destroys it.
///
/// Threads: the count is thread-safe; all else is up to the derived class.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): the last `Ref` calls it, nobody else.
class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 protected:
  virtual ~Counted() = default;

 private:
  template <typename T>
  friend class Ref;

  // Relaxed: who copies a reference has one, so the thing lives and nothing is published.
  void add_owner() const noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }

  /// Release, partner of itself: what any owner did to the thing comes before its destruction.
  void drop_owner() const noexcept {
    const std::uint32_t before = owners_.fetch_sub(1, std::memory_order_acq_rel);
    ASHLAR_ASSERT(before > 0, "who drops a reference had one");
    if (before == 1) delete this;
  }

  mutable std::atomic<std::uint32_t> owners_{0};
};

/// One owner of a `T`, which derives from `Counted`. May be null.
///
/// Threads: as a pointer; the thing may have owners in many threads.
template <typename T>
class Ref {
 public:
  Ref() = default;

  /// Takes part in owning `thing`, which was made with `new` or has owners already.
  explicit Ref(T* thing) noexcept : thing_(thing) {
    if (thing_ != nullptr) thing_->add_owner();
  }
  Ref(const Ref& other) noexcept : Ref(other.thing_) {}
  Ref(Ref&& other) noexcept : thing_(std::exchange(other.thing_, nullptr)) {}

  /// From a reference to something derived, or less constant: as with pointers, without a word.
  template <typename Other>
    requires std::is_convertible_v<Other*, T*>
  // NOLINTNEXTLINE(google-explicit-constructor)
  Ref(const Ref<Other>& other) noexcept : Ref(other.get()) {}

  Ref& operator=(Ref other) noexcept {
    std::swap(thing_, other.thing_);
    return *this;
  }
  ~Ref() {
    if (thing_ != nullptr) thing_->drop_owner();
  }

  T* get() const noexcept { return thing_; }
  T& operator*() const noexcept { return *operator->(); }
  T* operator->() const noexcept {
    ASHLAR_ASSERT(thing_ != nullptr, "a reference that is followed leads somewhere");
    return thing_;
  }
  explicit operator bool() const noexcept { return thing_ != nullptr; }
  bool operator==(const Ref& other) const noexcept { return thing_ == other.thing_; }

 private:
  T* thing_ = nullptr;
};

/// Makes a `T` and its first owner.
template <typename T, typename... Arguments>
Ref<T> make_ref(Arguments&&... arguments) {
  return Ref<T>(new T(std::forward<Arguments>(arguments)...));
}

}  // namespace ashlar::base
