// Walking the runs of a memtable.

#include "lsm/memtable/memtable_cursor.h"

#include <algorithm>

namespace ashlar::lsm {
namespace {

// So many entries ahead a node is asked for, while some 40 ns pass with each row.
constexpr std::size_t kPrefetchDistance = 6;

}  // namespace

MemtableCursor::MemtableCursor(const Records& records, std::shared_ptr<const RunSet> set,
                               Sequence sequence)
    : records_(records), set_(std::move(set)), sequence_(sequence) {
  sources_.reserve(set_->runs.size());
  for (const auto& run : set_->runs) sources_.push_back({.run = run.get()});
}

void MemtableCursor::place(Source& source, std::size_t index) const noexcept {
  const auto entries = source.run->entries();
  source.index = index;
  source.node = index < entries.size() ? &records_.node(entries[index].node) : nullptr;
}

/// One step in the direction of the walk. Before the first key is the highest index.
void MemtableCursor::advance(Source& source) const noexcept {
  const auto entries = source.run->entries();
  const std::size_t step = direction_ == Direction::kForward ? 1 : SIZE_MAX;
  place(source, source.index + step);
  const std::size_t ahead = source.index + step * kPrefetchDistance;
  if (ahead < entries.size()) records_.prefetch(entries[ahead].node);
}

/// Whether the walk comes to `one` before it comes to `other`.
bool MemtableCursor::is_before(const Source& one, const Source& other) const noexcept {
  if (one.node == nullptr || other.node == nullptr) return one.node != nullptr;
  const int order = one.node->key().compare(other.node->key());
  return direction_ == Direction::kForward ? order < 0 : order > 0;
}

/// Puts the first source where it belongs among the others. The largest run has half of all keys,
/// so the first is mostly still the first.
void MemtableCursor::sift_first() noexcept {
  for (std::size_t i = 0; i + 1 < sources_.size(); ++i) {
    if (!is_before(sources_[i + 1], sources_[i])) return;
    std::swap(sources_[i], sources_[i + 1]);
  }
}

/// Begins a walk with the sources as they were placed.
void MemtableCursor::start(Direction direction) noexcept {
  direction_ = direction;
  std::ranges::sort(
      sources_, [this](const Source& one, const Source& other) { return is_before(one, other); });
  settle();
}

/// Goes on until a key is there that the sequence sees.
void MemtableCursor::settle() noexcept {
  show(nullptr);
  while (!sources_.empty() && sources_.front().node != nullptr) {
    const KeyNode& node = *sources_.front().node;
    if (const RowVersion* const version = records_.newest_at(node, sequence_)) {
      at_ = {.key = node.key(),
             .value = version->value(),
             .kind = version->kind(),
             .deadline_ms = version->deadline_ms()};
      return show(&at_);
    }
    advance(sources_.front());
    sift_first();
  }
}

void MemtableCursor::step(Direction direction) noexcept {
  ASHLAR_ASSERT(is_valid(), "a cursor that steps stands on a row");
  if (direction_ != direction) {
    direction_ = direction;
    // N9: the others stand beyond the cursor's key; one step brings them to its other side.
    for (auto& source : sources_) advance(source);
    std::ranges::sort(
        sources_, [this](const Source& one, const Source& other) { return is_before(one, other); });
  } else {
    advance(sources_.front());
    sift_first();
  }
  settle();
}

void MemtableCursor::seek_to_first() {
  for (auto& source : sources_) place(source, 0);
  start(Direction::kForward);
}

void MemtableCursor::seek_to_last() {
  for (auto& source : sources_) place(source, source.run->entries().size() - 1);
  start(Direction::kBackward);
}

void MemtableCursor::seek(std::string_view key) {
  for (auto& source : sources_) place(source, source.run->lower_bound(key, records_));
  start(Direction::kForward);
}

void MemtableCursor::seek_for_previous(std::string_view key) {
  for (auto& source : sources_) {
    place(source, source.run->lower_bound(key, records_));
    const bool is_there = source.node != nullptr && source.node->key() == key;
    if (!is_there) place(source, source.index - 1);
  }
  start(Direction::kBackward);
}

void MemtableCursor::next() {
  step(Direction::kForward);
}

void MemtableCursor::previous() {
  step(Direction::kBackward);
}

void MemtableCursor::check() const {
  if (!is_valid()) return;
  const std::size_t step = direction_ == Direction::kForward ? SIZE_MAX : 1;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (i != 0) ASHLAR_ASSERT(!is_before(sources_[i], sources_[i - 1]), "N9: sources are in order");
    Source behind = sources_[i];
    place(behind, behind.index + step);
    if (behind.node == nullptr) continue;
    ASHLAR_ASSERT(is_before(behind, sources_.front()), "N9: a source stands at its nearest key");
  }
}

}  // namespace ashlar::lsm
