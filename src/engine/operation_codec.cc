// Both directions of a payload. Writers get operations whose limits were checked, and assert them.
// Readers get bytes that passed a checksum and may still be nonsense, made by a faulty program or
// by an enemy: every length is held against the limits and against what is left before it is used.

#include "engine/operation_codec.h"

#include "ashlar/options.h"
#include "base/assert.h"

namespace ashlar::engine {
namespace {

// A kind of a later version is nonsense to this one and ends the reading: to guess its length would
// put all that follows in doubt.
constexpr bool is_stored_kind(std::uint8_t kind) noexcept {
  return kind >= static_cast<std::uint8_t>(StoredKind::kPut) &&
         kind <= static_cast<std::uint8_t>(StoredKind::kEvicted);
}

constexpr bool has_value(StoredKind kind) noexcept {
  return kind == StoredKind::kPut || kind == StoredKind::kPutWithDeadline;
}

constexpr bool has_deadline(StoredKind kind) noexcept {
  return kind == StoredKind::kPutWithDeadline || kind == StoredKind::kExpire;
}

StoredKind kind_of(const Operation& operation) noexcept {
  if (operation.kind == OperationKind::kErase) return StoredKind::kErase;
  return operation.deadline_ms == kNever ? StoredKind::kPut : StoredKind::kPutWithDeadline;
}

}  // namespace

PayloadWriter::PayloadWriter(std::string& payload, TimeMs moment_ms) : payload_(payload) {
  payload_.clear();
  base::append_number(payload_, moment_ms);
}

void PayloadWriter::append_to(std::string& payload, const Operation& operation) {
  ASHLAR_ASSERT(!operation.key.empty() && operation.key.size() <= kKeyBytesHardMax,
                "only keys within the limits are stored");
  ASHLAR_ASSERT(operation.value.size() <= kValueBytesHardMax, "a stored value has legal length");
  ASHLAR_ASSERT(operation.kind != OperationKind::kPutApart, "a log has values, not references");
  const StoredKind kind = kind_of(operation);
  payload.push_back(static_cast<char>(kind));
  base::append_varint(payload, operation.key.size());
  if (has_value(kind)) base::append_varint(payload, operation.value.size());
  if (has_deadline(kind)) base::append_number(payload, operation.deadline_ms);
  payload.append(operation.key);
  if (has_value(kind)) payload.append(operation.value);
}

std::uint64_t PayloadLayout::pass(const Operation& operation) noexcept {
  const StoredKind kind = kind_of(operation);
  ASHLAR_ASSERT(operation.kind != OperationKind::kPutApart, "a log has values, not references");
  offset_ += 1 + base::varint_bytes(operation.key.size());
  if (has_value(kind)) offset_ += base::varint_bytes(operation.value.size());
  if (has_deadline(kind)) offset_ += sizeof(TimeMs);
  offset_ += operation.key.size();
  const std::uint64_t value_offset = offset_;
  if (has_value(kind)) offset_ += operation.value.size();
  return value_offset;
}

void PayloadWriter::add_expire(std::string_view key, TimeMs deadline_ms) {
  ASHLAR_ASSERT(!key.empty() && key.size() <= kKeyBytesHardMax, "a stored key has legal length");
  payload_.push_back(static_cast<char>(StoredKind::kExpire));
  base::append_varint(payload_, key.size());
  base::append_number(payload_, deadline_ms);
  payload_.append(key);
}

void PayloadWriter::add_old_values(std::span<const std::optional<Value>> old_values) {
  payload_.push_back(static_cast<char>(kOldValuesMark));
  for (const std::optional<Value>& old : old_values) {
    base::append_varint(payload_, old ? old->size() + 1 : 0);
    if (old) payload_.append(old->view());
  }
}

void PayloadWriter::add_reclaimed(Reclaimed why, std::string_view key) {
  ASHLAR_ASSERT(!key.empty() && key.size() <= kKeyBytesHardMax, "a stored key has legal length");
  const StoredKind kind = why == Reclaimed::kExpired ? StoredKind::kExpired : StoredKind::kEvicted;
  payload_.push_back(static_cast<char>(kind));
  base::append_varint(payload_, key.size());
  payload_.append(key);
}

PayloadReader::PayloadReader(std::string_view payload) noexcept : rest_(payload) {
  is_good_ = base::take_number(rest_, moment_ms_);
}

// The end and nonsense answer alike; `is_good` tells them apart. Nothing is read after nonsense.
std::optional<PayloadReader::Stored> PayloadReader::next() noexcept {
  if (!is_good_ || rest_.empty()) return std::nullopt;
  if (rest_.front() == static_cast<char>(kOldValuesMark)) {
    old_values_ = rest_.substr(1);
    rest_ = {};
    is_good_ = are_old_values_good();
    return std::nullopt;
  }
  const std::optional<Stored> stored = take();
  is_good_ = stored.has_value();
  ++operation_count_;
  return stored;
}

namespace {

/// Takes one of the values from the front of `rest`. Returns: false where it makes no sense
bool take_old_value(std::string_view& rest, std::optional<std::string_view>& old) noexcept {
  std::uint64_t bytes_and_one = 0;
  if (!base::take_varint(rest, bytes_and_one) || bytes_and_one > kValueBytesHardMax + 1) {
    return false;
  }
  old.reset();
  return bytes_and_one == 0 || base::take_bytes(rest, bytes_and_one - 1, old.emplace());
}

}  // namespace

bool PayloadReader::are_old_values_good() const noexcept {
  std::string_view rest = old_values_;
  std::optional<std::string_view> old;
  for (std::uint64_t i = 0; i < operation_count_; ++i) {
    if (!take_old_value(rest, old)) return false;
  }
  return operation_count_ > 0 && rest.empty();
}

std::optional<std::optional<std::string_view>> PayloadReader::next_old_value() noexcept {
  std::optional<std::string_view> old;
  if (old_values_.empty() || !take_old_value(old_values_, old)) return std::nullopt;
  return old;
}

// In the order in which `append_to` writes. The views it hands out lie inside of the payload, since
// `take_bytes` gives no more than there is.
std::optional<PayloadReader::Stored> PayloadReader::take() noexcept {
  std::uint8_t kind = 0;
  std::uint64_t key_bytes = 0;
  std::uint64_t value_bytes = 0;
  Stored stored;
  if (!base::take_number(rest_, kind) || !is_stored_kind(kind)) return std::nullopt;
  stored.kind = static_cast<StoredKind>(kind);
  if (!base::take_varint(rest_, key_bytes)) return std::nullopt;
  if (key_bytes == 0 || key_bytes > kKeyBytesHardMax) return std::nullopt;
  if (has_value(stored.kind) && !base::take_varint(rest_, value_bytes)) return std::nullopt;
  if (value_bytes > kValueBytesHardMax) return std::nullopt;
  if (has_deadline(stored.kind) && !base::take_number(rest_, stored.deadline_ms)) {
    return std::nullopt;
  }
  if (!base::take_bytes(rest_, key_bytes, stored.key)) return std::nullopt;
  if (!base::take_bytes(rest_, value_bytes, stored.value)) return std::nullopt;
  return stored;
}

}  // namespace ashlar::engine
