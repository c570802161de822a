// Any bytes as the payload of a commit: what is read lies within them, and written again is the
// same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/operation_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ashlar::engine::PayloadReader reader(bytes);
  std::string again;
  ashlar::engine::PayloadWriter writer(again, reader.moment_ms());
  bool has_odd_deadline = false;
  while (const auto stored = reader.next()) {
    using ashlar::engine::StoredKind;
    if (stored->kind == StoredKind::kExpire) {
      writer.add_expire(stored->key, stored->deadline_ms);
      continue;
    }
    if (stored->kind == StoredKind::kExpired || stored->kind == StoredKind::kEvicted) {
      using ashlar::engine::Reclaimed;
      writer.add_reclaimed(
          stored->kind == StoredKind::kExpired ? Reclaimed::kExpired : Reclaimed::kEvicted,
          stored->key);
      continue;
    }
    // A put "with" the deadline that means none is written shorter.
    has_odd_deadline = has_odd_deadline || (stored->kind == StoredKind::kPutWithDeadline &&
                                            stored->deadline_ms == ashlar::engine::kNever);
    const bool is_erase = stored->kind == StoredKind::kErase;
    writer.add({.kind = is_erase ? ashlar::engine::OperationKind::kErase
                                 : ashlar::engine::OperationKind::kPut,
                .key = stored->key,
                .value = stored->value,
                .deadline_ms = stored->deadline_ms});
  }
  std::vector<std::optional<ashlar::Value>> old_values;
  while (const auto old_value = reader.next_old_value()) {
    old_values.emplace_back();
    if (*old_value) old_values.back().emplace(**old_value);
  }
  if (!old_values.empty()) writer.add_old_values(old_values);
  if (reader.is_good() && !has_odd_deadline && again != bytes) std::abort();
  return 0;
}
