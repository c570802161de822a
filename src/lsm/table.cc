#include "lsm/table.h"

#include <limits>
#include <utility>

#include "base/assert.h"

namespace ashlar::lsm {
namespace {

constexpr std::size_t kKeyBytesMax = 65'535;  // The hard limit of every key.

Result<void> refuse(const char* what) {
  return std::unexpected(Error::of_literal(ErrorCode::kCorruption, what));
}

bool is_key(std::string_view key) noexcept {
  return !key.empty() && key.size() <= kKeyBytesMax;
}

}  // namespace

Result<void> TableInfo::validate() const {
  if (number == 0) return refuse("a table has number 0");
  if (file_bytes == 0) return refuse("a table has no bytes");
  if (row_count == 0) return refuse("a table has no rows");
  if (erase_count > row_count) return refuse("a table has more erases than rows");
  if (expiring_count > row_count - erase_count) {
    return refuse("a table has more rows with a deadline than rows");
  }
  if ((expiring_count == 0) != (earliest_deadline_ms == engine::kNever)) {
    return refuse("a table has a deadline without a row for it, or a row without");
  }
  if (!is_key(smallest) || !is_key(largest)) {
    return refuse("a table ends in a key that is empty or too long");
  }
  if (smallest > largest) return refuse("a table has its first key behind its last");
  return {};
}

Table::Table(TableInfo info) : info_(std::move(info)), untold_ms_(info_.earliest_deadline_ms) {
  ASHLAR_ASSERT(info_.validate().has_value(), "the figures of a table fit together");
}

}  // namespace ashlar::lsm
