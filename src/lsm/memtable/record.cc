// Writing a version.

#include "lsm/memtable/record.h"

namespace ashlar::lsm {

Place Records::write_version(const engine::Operation& operation, Sequence sequence,
                             Place older) noexcept {
  const bool is_erase = operation.kind == engine::OperationKind::kErase;
  if (is_erase) ASHLAR_ASSERT(operation.value.empty(), "an erase carries no value");
  ASHLAR_ASSERT(operation.value.size() <= RowVersion::kValueBytesMax, "a value stays in its limit");
  const bool has_deadline = !is_erase && operation.deadline_ms != engine::kNever;

  const std::size_t deadline_bytes = has_deadline ? sizeof(engine::TimeMs) : 0;
  char* const memory =
      arena_.allocate(sizeof(RowVersion) + deadline_bytes + operation.value.size());
  const bool is_apart = operation.kind == engine::OperationKind::kPutApart;
  if (is_apart) {
    ASHLAR_ASSERT(operation.value.size() == engine::ValueReference::kBytes,
                  "a value that stands apart is referred to");
  }
  const std::uint32_t flags =
      (is_erase ? RowVersion::kEraseBit : 0) | (has_deadline ? RowVersion::kDeadlineBit : 0);
  new (memory)
      RowVersion{.sequence = sequence,
                 .shape = flags | (is_apart ? RowVersion::kApart
                                            : static_cast<std::uint32_t>(operation.value.size())),
                 .older = older};
  char* const after = memory + sizeof(RowVersion);
  if (has_deadline) base::store_number(after, operation.deadline_ms);
  if (!operation.value.empty()) {  // No bytes may have no address.
    std::memcpy(after + deadline_bytes, operation.value.data(), operation.value.size());
  }
  return place_of(memory);
}

}  // namespace ashlar::lsm
