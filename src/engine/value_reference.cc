#include "engine/value_reference.h"

#include "ashlar/options.h"
#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"

namespace ashlar::engine {

std::uint64_t value_hash(std::string_view value) noexcept {
  return base::hash_key(value, 0);
}

/// Two steps, so that the long one can be taken before the position is known.
std::uint64_t value_checksum(std::uint64_t value_hash, std::uint64_t position) noexcept {
  char both[16];
  base::store_number(both, value_hash);
  base::store_number(both + 8, position);
  return base::hash_key({both, sizeof(both)}, 0);
}

void encode_value_reference(const ValueReference& reference, char* to) noexcept {
  ASHLAR_ASSERT(reference.bytes > 0 && reference.bytes <= kValueBytesHardMax,
                "V40: a value that stands apart has bytes, and legal length");
  base::store_number(to, reference.position);
  base::store_number(to + 8, static_cast<std::uint32_t>(reference.bytes));
  base::store_number(to + 12, reference.checksum);
  ASHLAR_DEBUG_ASSERT(decode_value_reference({to, ValueReference::kBytes}) == reference,
                      "V40: what is written can be read");
}

std::optional<ValueReference> decode_value_reference(std::string_view bytes) noexcept {
  if (bytes.size() != ValueReference::kBytes) return std::nullopt;
  const ValueReference reference{.position = base::load_number<std::uint64_t>(bytes.data()),
                                 .bytes = base::load_number<std::uint32_t>(bytes.data() + 8),
                                 .checksum = base::load_number<std::uint64_t>(bytes.data() + 12)};
  const bool is_legal = reference.bytes > 0 && reference.bytes <= kValueBytesHardMax &&
                        reference.position <= UINT64_MAX - reference.bytes;
  return is_legal ? std::optional(reference) : std::nullopt;
}

}  // namespace ashlar::engine
