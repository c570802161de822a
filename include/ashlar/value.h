/// \file
/// The bytes that a read hands out.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace ashlar {

/// A copy of one stored value, owned by the caller.
///
/// Up to `kInlineBytes` bytes lie inside the object, so that reading a small value allocates
/// nothing.
///
/// Threads:  externally synchronised.
/// Lifetime: views handed out by a `Value` die when it is changed, moved from or destroyed.
class Value {
 public:
  /// The longest value that needs no allocation, in bytes.
  static constexpr std::size_t kInlineBytes = 144;

  // The buffer stays uninitialised: bytes beyond `size_` are never read.
  Value() noexcept {}  // NOLINT(modernize-use-equals-default)
  explicit Value(std::string_view bytes) { assign(bytes); }
  Value(const Value& other) { assign(other.view()); }
  Value& operator=(const Value& other);
  Value(Value&& other) noexcept { take(other); }
  Value& operator=(Value&& other) noexcept;
  ~Value() = default;

  const char* data() const noexcept { return heap_ ? heap_.get() : buffer_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  /// The bytes. They may contain NUL.
  std::string_view view() const noexcept { return {data(), size_}; }
  // The conversion is what makes a Value usable wherever bytes are asked for.
  operator std::string_view() const noexcept { return view(); }  // NOLINT(google-explicit-*)

  /// Replaces the bytes by a copy of `bytes`.
  void assign(std::string_view bytes);

  /// Makes the value `bytes` long, its content unspecified, and returns where to write it.
  ///
  /// Cost: allocates when `bytes` is above `kInlineBytes`; what was held before is released.
  char* resize(std::size_t bytes) {
    if (bytes > kInlineBytes || heap_) return resize_heap(bytes);
    size_ = bytes;
    return buffer_;
  }

  friend bool operator==(const Value& left, std::string_view right) noexcept {
    return left.view() == right;
  }

 private:
  char* resize_heap(std::size_t bytes);
  void take(Value& other) noexcept;

  std::size_t size_ = 0;
  std::unique_ptr<char[]> heap_;  // Null while the bytes are in `buffer_`.
  char buffer_[kInlineBytes];
};

}  // namespace ashlar
