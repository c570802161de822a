#include "lsm/engine/row_operations.h"

#include <algorithm>
#include <string_view>

#include "base/assert.h"
#include "engine/operation_codec.h"
#include "engine/value_reference.h"

namespace ashlar::lsm {

using engine::Operation;
using engine::ValueReference;

RowOperations::RowOperations(std::span<const Operation> operations, const engine::Commit* commit,
                             std::size_t large_bytes)
    : operations_(operations), rows_(operations) {
  ASHLAR_ASSERT(large_bytes > 0, "a value of no bytes stands in its row");
  const auto is_large = [&](const Operation& operation) {
    return operation.value.size() >= large_bytes;
  };
  if (commit == nullptr || !commit->has_position()) return;
  if (std::ranges::none_of(operations, is_large)) [[likely]]
    return;
  made_.assign(operations.begin(), operations.end());
  for (std::size_t i = 0; i < made_.size(); ++i) {
    if (!is_large(made_[i])) continue;
    apart_.push_back({.index = i, .hash = engine::value_hash(made_[i].value)});
    apart_bytes_ += made_[i].value.size();
  }
  references_.resize(apart_.size() * ValueReference::kBytes);
  for (std::size_t i = 0; i < apart_.size(); ++i) {
    Operation& row = made_[apart_[i].index];
    row.kind = engine::OperationKind::kPutApart;
    row.value =
        std::string_view(references_).substr(i * ValueReference::kBytes, ValueReference::kBytes);
  }
  rows_ = made_;
}

void RowOperations::place(const engine::Commit& commit) noexcept {
  if (apart_.empty()) return;
  engine::PayloadLayout layout;
  std::size_t passed = 0;
  for (std::size_t i = 0; i < apart_.size(); ++i) {
    const auto [index, hash] = apart_[i];
    while (passed < index) layout.pass(operations_[passed++]);
    const std::uint64_t offset = layout.pass(operations_[passed++]);
    const std::uint64_t position = commit.payload_position() + offset;
    const ValueReference reference{.position = position,
                                   .bytes = operations_[index].value.size(),
                                   .checksum = engine::value_checksum(hash, position)};
    engine::encode_value_reference(reference, references_.data() + i * ValueReference::kBytes);
  }
  ASHLAR_ASSERT(passed <= operations_.size(), "V40: no more values are placed than there are");
}

}  // namespace ashlar::lsm
