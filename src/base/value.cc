// The two forms of a value: up to kInlineBytes in the object itself, more on the heap. Which one it
// is shows in `heap_`, and `size_` goes with either.

#include "ashlar/value.h"

#include <cstring>
#include <utility>

#include "base/assert.h"

namespace ashlar {

Value& Value::operator=(const Value& other) {
  if (this != &other) assign(other.view());
  return *this;
}

Value& Value::operator=(Value&& other) noexcept {
  if (this != &other) take(other);
  return *this;
}

// May throw bad_alloc, with the value as it was: the new bytes are there before the old ones go.
void Value::assign(std::string_view bytes) {
  if (bytes.size() <= kInlineBytes) {
    // `bytes` may be a part of this value, so what is held goes only after the copy.
    if (!bytes.empty()) std::memmove(buffer_, bytes.data(), bytes.size());
    heap_.reset();
  } else {
    auto fresh = std::make_unique_for_overwrite<char[]>(bytes.size());
    std::memcpy(fresh.get(), bytes.data(), bytes.size());
    heap_ = std::move(fresh);
  }
  size_ = bytes.size();
}

// The path of long values and of those that become short again. Memory is used again only for the
// same length: values of one key mostly keep theirs, and a longer one must not keep it for ever.
char* Value::resize_heap(std::size_t bytes) {
  if (bytes <= kInlineBytes) {
    heap_.reset();
  } else if (!heap_ || bytes != size_) {
    heap_ = std::make_unique_for_overwrite<char[]>(bytes);
  }
  size_ = bytes;
  ASHLAR_DEBUG_ASSERT((heap_ != nullptr) == (bytes > kInlineBytes), "long values are on the heap");
  return heap_ ? heap_.get() : buffer_;
}

// Leaves `other` empty. Not for the value itself: the callers see to that.
void Value::take(Value& other) noexcept {
  ASHLAR_DEBUG_ASSERT(this != &other, "a value is not moved into itself");
  ASHLAR_ASSERT(other.heap_ || other.size_ <= kInlineBytes, "bytes lie inline or on the heap");
  heap_ = std::move(other.heap_);
  size_ = std::exchange(other.size_, 0);
  if (!heap_ && size_ > 0) std::memcpy(buffer_, other.buffer_, size_);  // Only what is in use.
}

}  // namespace ashlar
