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

char* Value::resize_heap(std::size_t bytes) {
  if (bytes <= kInlineBytes) {
    heap_.reset();
  } else if (!heap_ || bytes != size_) {
    heap_ = std::make_unique_for_overwrite<char[]>(bytes);
  }
  size_ = bytes;
  return heap_ ? heap_.get() : buffer_;
}

void Value::take(Value& other) noexcept {
  ASHLAR_ASSERT(other.heap_ || other.size_ <= kInlineBytes, "bytes lie inline or on the heap");
  heap_ = std::move(other.heap_);
  size_ = std::exchange(other.size_, 0);
  if (!heap_ && size_ > 0) std::memcpy(buffer_, other.buffer_, size_);  // Only what is in use.
}

}  // namespace ashlar
