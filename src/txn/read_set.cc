#include "txn/read_set.h"

#include "base/assert.h"

namespace ashlar::txn {

void PassedRange::reach_down(std::string_view from) {
  if (!from_ || from < *from_) from_ = from;
}

void PassedRange::pass(std::string_view from, std::string_view to) {
  if (to < from) return;
  reach_down(from);
  if (is_endless_ || (end_ && to < *end_)) return;
  ASHLAR_ASSERT(!end_, "a cursor stays in front of the end of its range");
  if (to > last_) last_ = to;
}

void PassedRange::pass_to_end(std::string_view from, const std::optional<std::string>& end) {
  if (end && from >= *end) return;
  reach_down(from);
  if (end) {
    end_ = end;
  } else {
    is_endless_ = true;
  }
}

/// Of a key that is cut its beginning is known: the rest may be anything.
bool PassedRange::may_have(const CommitRing::Written& written) const noexcept {
  if (!from_) return false;
  const std::string_view key = written.key();
  const bool is_behind_begin = key >= *from_ || (written.is_cut && from_->starts_with(key));
  if (!is_behind_begin) return false;
  if (is_endless_) return true;
  return end_ ? key < *end_ : key <= last_;
}

}  // namespace ashlar::txn
