// A batch is bytes in one string and an entry an operation, so that adding one seldom allocates and
// clearing gives nothing back. Nothing here fails: a batch that has become too large, or for which
// there was no memory, remembers that and is refused when it is applied.

#include "ashlar/write_batch.h"

#include <limits>
#include <new>

#include "ashlar/options.h"
#include "base/assert.h"

namespace ashlar {

// An entry counts the bytes of its key and its value in 32 bits.
static_assert(kBatchBytesHardMax <= std::numeric_limits<std::uint32_t>::max());

void WriteBatch::put(std::string_view key, std::string_view value, Expiry expiry) noexcept {
  add(Kind::kPut, key, value, expiry);
}

void WriteBatch::erase(std::string_view key) noexcept {
  add(Kind::kErase, key, {}, Expiry::never());
}

void WriteBatch::clear() noexcept {
  entries_.clear();
  bytes_.clear();
  is_overfull_ = false;
}

void WriteBatch::add(Kind kind, std::string_view key, std::string_view value,
                     Expiry expiry) noexcept {
  // Once an operation was left out the batch is refused whole: nothing more needs to go in.
  if (is_overfull_) return;
  const std::size_t offset = bytes_.size();
  ASHLAR_ASSERT(offset <= kBatchBytesHardMax, "a batch stays within its hard limit");
  const std::size_t room = kBatchBytesHardMax - offset;
  if (key.size() > room || value.size() > room - key.size()) {
    is_overfull_ = true;
    return;
  }
  // Bytes first: an entry that is there has its bytes.
  try {
    bytes_.append(key);
    bytes_.append(value);
    entries_.push_back({.offset = offset,
                        .key_bytes = static_cast<std::uint32_t>(key.size()),
                        .value_bytes = static_cast<std::uint32_t>(value.size()),
                        .expiry = expiry,
                        .kind = kind});
  } catch (const std::bad_alloc&) {
    bytes_.resize(offset);  // Only ever shrinks, so it needs no memory.
    is_overfull_ = true;
  }
}

}  // namespace ashlar
