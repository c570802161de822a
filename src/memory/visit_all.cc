// Handing out every key, for checkpoints.

#include <exception>
#include <string>
#include <vector>

#include "memory/engine_core.h"

namespace ashlar::memory {
namespace {

// Chains are copied out until there is so much to hand out.
constexpr std::size_t kBytesAtATime = std::size_t{256} << 10U;

/// Rows copied out of a locked chain.
class RowBuffer {
 public:
  void add(std::string_view key, std::string_view value, TimeMs deadline_ms) {
    rows_.push_back({.offset = bytes_.size(),
                     .key_bytes = key.size(),
                     .value_bytes = value.size(),
                     .deadline_ms = deadline_ms});
    bytes_.append(key).append(value);
  }

  std::size_t bytes() const noexcept { return bytes_.size(); }

  Result<void> hand_out(const engine::StorageEngine::RowVisitor& visit) {
    const std::string_view bytes = bytes_;
    for (const Row& row : rows_) {
      ASHLAR_TRY(visit({.key = bytes.substr(row.offset, row.key_bytes),
                        .value = bytes.substr(row.offset + row.key_bytes, row.value_bytes),
                        .deadline_ms = row.deadline_ms}));
    }
    rows_.clear();
    bytes_.clear();
    return {};
  }

 private:
  struct Row {
    std::size_t offset;
    std::size_t key_bytes;
    std::size_t value_bytes;
    TimeMs deadline_ms;
  };
  std::vector<Row> rows_;
  std::string bytes_;
};

}  // namespace

Result<void> MemoryEngine::visit_all(const RowVisitor& visit) {
  {
    // Whoever is in the midst of a commit that its log has got is waited for.
    const base::MutexLock lock(maintenance_mutex_);
    locals_.visit_held([](const Local&) { return true; }, [](Local&) {});
  }
  RowBuffer buffer;
  Result<void> outcome;
  std::exception_ptr thrown;
  const auto copy = [&](SlotPlace place) {
    const Record record = place.record();
    const Shape shape = record.shape();
    const TimeMs deadline_ms = record.deadline_ms(shape);
    const bool is_gone = reclaims_ == nullptr && is_expired(deadline_ms, engine::kLatest);
    if (shape.is_tombstone() || is_gone) return;
    buffer.add(record.key(shape), record.value(shape), deadline_ms);
  };
  parts_.table->walk_beside_writers(
      [&](Bucket& root) -> bool {
        try {
          parts_.table->for_each_locked(root, copy);
        } catch (...) {
          thrown = std::current_exception();
        }
        return thrown == nullptr && buffer.bytes() < kBytesAtATime;
      },
      [&]() -> bool {
        if (thrown != nullptr) return false;
        try {
          outcome = buffer.hand_out(visit);
        } catch (...) {
          thrown = std::current_exception();
        }
        return thrown == nullptr && outcome.has_value();
      });
  if (thrown != nullptr) std::rethrow_exception(thrown);
  if (outcome) outcome = buffer.hand_out(visit);
  return outcome;
}

}  // namespace ashlar::memory
