#include "ashlar/iterator.h"

#include <utility>

#include "base/assert.h"
#include "engine/cursor.h"

namespace ashlar {

Range Range::prefix(std::string_view prefix) {
  Range range{.from = std::string(prefix), .to = std::nullopt};
  // The first key beyond all that begin with `prefix` is `prefix` counted up by one. Bytes of 0xff
  // at its end cannot be counted up and fall away; if nothing is left, no key is beyond.
  const std::size_t last = prefix.find_last_not_of('\xff');
  if (last != std::string_view::npos) {
    range.to = prefix.substr(0, last + 1);
    range.to->back() = static_cast<char>(static_cast<unsigned char>(range.to->back()) + 1);
    ASHLAR_ASSERT(*range.to > range.from, "a prefix covers at least one key");
  }
  return range;
}

Iterator::Iterator(std::unique_ptr<engine::Cursor> cursor) noexcept : cursor_(std::move(cursor)) {
  ASHLAR_ASSERT(cursor_ != nullptr, "an iterator is made around a cursor");
}

Iterator::Iterator(Iterator&& other) noexcept = default;
Iterator& Iterator::operator=(Iterator&& other) noexcept = default;
Iterator::~Iterator() = default;

void Iterator::seek_to_first() {
  cursor_->seek_to_first();
}
void Iterator::seek_to_last() {
  cursor_->seek_to_last();
}
void Iterator::seek(std::string_view key) {
  cursor_->seek(key);
}
void Iterator::seek_for_previous(std::string_view key) {
  cursor_->seek_for_previous(key);
}

// That the iterator is valid is asserted by the cursor, whose contract is the same.
void Iterator::next() {
  cursor_->next();
}
void Iterator::previous() {
  cursor_->previous();
}
bool Iterator::is_valid() const noexcept {
  return cursor_->is_valid();
}
std::string_view Iterator::key() const noexcept {
  return cursor_->key();
}
std::string_view Iterator::value() const noexcept {
  return cursor_->value();
}
Result<void> Iterator::status() const {
  return cursor_->status();
}

}  // namespace ashlar
