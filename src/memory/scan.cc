// Ordered walks: keys come from the ordered side in groups, their rows from the hash index at one
// snapshot.
//
//     ordered side --keys, under its shared lock--> keys_
//     hash index   --values at view_, no lock-----> values_
//     rows_        the keys of the group that have a value at the view; the others are skipped
//
// No lock is held between two calls. The tree may change meanwhile or be dropped and built again:
// a walk goes on from the last key that it looked at, and keys that came later than its snapshot
// have no row there.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "memory/engine_core.h"

namespace ashlar::memory {
namespace {

// The first group is small, for those who only look at the first row; each is twice the one before.
constexpr std::size_t kGroupRowsMin = 16;
constexpr std::size_t kGroupRowsMax = 128;

// A group ends early at so many bytes of values.
constexpr std::size_t kGroupBytesMax = std::size_t{1} << 20U;
// So many keys are read between two looks at that bound, which values may exceed by as many.
constexpr std::size_t kRowsPerRead = 64;

/// Where a group of rows is to begin.
struct Start {
  std::string key;
  bool has_key = false;  // False: at the end of all keys; only backward.
};

/// A walk over one range at one snapshot, which it owns when the scan was asked for at latest.
class MemoryCursor final : public engine::Cursor {
 public:
  MemoryCursor(MemoryEngine& engine, Range range, engine::View view, bool owns_snapshot)
      : engine_(engine), range_(std::move(range)), view_(view), owns_snapshot_(owns_snapshot) {}
  MemoryCursor(const MemoryCursor&) = delete;
  MemoryCursor& operator=(const MemoryCursor&) = delete;
  ~MemoryCursor() override {
    if (owns_snapshot_) engine_.release_snapshot(view_.sequence);
  }

  void seek_to_first() override { seek(range_.from); }
  void seek(std::string_view key) override {
    begin_walk();
    guarded([&] { fill_forward(std::max<std::string_view>(key, range_.from)); });
  }
  void seek_to_last() override {
    begin_walk();
    guarded([&] {
      if (range_.to) {
        fill_backward(*range_.to, true);
      } else {
        fill_backward({}, false);
      }
    });
  }
  void seek_for_previous(std::string_view key) override {
    if (range_.to && key >= *range_.to) return seek_to_last();
    begin_walk();
    // The smallest key above `key` is `key` with a zero byte: what is before that is at most `key`.
    guarded([&] { fill_backward(std::string(key).append(1, '\0'), true); });
  }

  void next() override { step(true); }
  void previous() override { step(false); }

  bool is_valid() const noexcept override { return at_ < rows_.size(); }
  std::string_view key() const noexcept override {
    ASHLAR_ASSERT(is_valid(), "only a valid iterator is read");
    return keys_.key(rows_[at_].key_index);
  }
  std::string_view value() const noexcept override {
    ASHLAR_ASSERT(is_valid(), "only a valid iterator is read");
    return *values_[rows_[at_].value_index];
  }
  Result<void> status() const override {
    if (error_) return std::unexpected(*error_);
    return {};
  }

 private:
  /// A key of the group that has a value: where both are.
  struct Row {
    std::size_t key_index;
    std::size_t value_index;
  };

  /// Forgets where the last walk was: the next group is a small one and is looked for by its key.
  void begin_walk() {
    group_rows_ = 0;
    next_ = {};
    error_.reset();
  }

  /// Goes on by one row. The group at hand lies in the direction in which it was fetched, so a step
  /// the other way goes back in it, and beyond its first row a walk in that direction begins.
  void step(bool is_forward) {
    ASHLAR_ASSERT(is_valid(), "only a valid iterator is stepped");
    const bool is_along = is_forward == is_forward_;
    if (is_along && at_ + 1 < rows_.size()) {
      ++at_;
      return;
    }
    if (!is_along && at_ > 0) {
      --at_;
      return;
    }
    // Along the walk the next group begins beyond all keys that were looked at, seen or not.
    guarded([&] {
      std::string edge(is_along ? std::string_view(last_key_) : key());
      if (is_forward) {
        if (!is_along) next_ = {};
        fill_forward(edge.append(1, '\0'));
      } else {
        fill_backward(edge, true);
      }
    });
  }

  /// Runs `fill`; a want of memory in it makes the cursor invalid and is its status.
  template <typename Fill>
  void guarded(Fill fill) {
    try {
      fill();
    } catch (const std::bad_alloc&) {
      fail(Error::of_literal(ErrorCode::kOutOfSpace, "no memory for a group of rows"));
    }
  }

  void fail(const Error& error) {
    rows_.clear();
    at_ = 0;
    error_ = error;
  }

  /// Fetches rows from `from` on, until there is one or the range ends.
  void fill_forward(std::string_view from) {
    is_forward_ = true;
    std::string begin(from);
    while (true) {
      start_group();
      if (const auto done = engine_.collect_from(begin, group_rows_, keys_, next_); !done) {
        return fail(done.error());
      }
      // Three ends: of all keys, of the range, and of the bytes that a group may have. Only the
      // last is no end of the walk. A group without a row, all of whose keys came after the
      // snapshot, is none either: the loop goes on behind it.
      const bool is_last = keys_.entries.size() < group_rows_;
      std::size_t count = keys_.entries.size();
      if (range_.to) {
        while (count > 0 && keys_.key(count - 1) >= *range_.to) --count;
      }
      const bool is_cut = count < keys_.entries.size();
      const bool is_whole = read_rows(count);
      // Collecting went further than reading: what follows the last key read is looked for anew.
      if (!is_whole) next_ = {};
      if (!rows_.empty() || (is_whole && (is_last || is_cut))) return;
      begin = last_key_;  // The smallest key above it is itself with a zero byte.
      begin.push_back('\0');
    }
  }

  /// Fetches rows before `before`, or from the very last on. Backward there is no position to go on
  /// from: each group is looked for by its end.
  void fill_backward(std::string_view before, bool has_before) {
    is_forward_ = false;
    std::string end(before);
    while (true) {
      start_group();
      const std::string_view end_view = end;
      const auto done =
          engine_.collect_before(has_before ? &end_view : nullptr, group_rows_, keys_);
      if (!done) return fail(done.error());
      const bool is_last = keys_.entries.size() < group_rows_;
      std::size_t count = keys_.entries.size();
      while (count > 0 && keys_.key(count - 1) < range_.from) --count;
      const bool is_cut = count < keys_.entries.size();
      const bool is_whole = read_rows(count);
      if (!rows_.empty() || (is_whole && (is_last || is_cut))) return;
      end = last_key_;
      has_before = true;
    }
  }

  /// Empties the group. Its memory stays for the next one.
  void start_group() {
    keys_.clear();
    rows_.clear();
    at_ = 0;
    group_rows_ = std::clamp(group_rows_ * 2, kGroupRowsMin, kGroupRowsMax);
  }

  /// Reads the first `count` collected keys, or fewer when their values are large. Returns true
  /// when all of them were read.
  bool read_rows(std::size_t count) {
    if (values_.size() < count) values_.resize(count);
    std::size_t bytes = 0;
    std::size_t begin = 0;
    while (begin < count && bytes < kGroupBytesMax) {
      const std::size_t end = std::min(begin + kRowsPerRead, count);
      engine_.read_group(keys_, begin, end, view_, std::span(values_).subspan(begin));
      for (std::size_t i = begin; i < end; ++i) {
        if (!values_[i]) continue;
        rows_.push_back({.key_index = i, .value_index = i});
        bytes += values_[i]->size();
      }
      begin = end;
    }
    if (begin > 0) last_key_ = keys_.key(begin - 1);
    ASHLAR_ASSERT(rows_.size() <= begin, "a row stands for a key that was read");
    return begin == count;
  }

  MemoryEngine& engine_;
  const Range range_;
  const engine::View view_;
  const bool owns_snapshot_;

  // The group at hand: keys in the direction of the walk, and those of them that the view sees.
  KeyList keys_;
  std::vector<std::optional<Value>> values_;
  std::vector<Row> rows_;
  std::size_t at_ = 0;
  std::string last_key_;    // The furthest key that has been looked at.
  KeyTree::Position next_;  // Behind the last key of a group that was fetched forward.
  std::size_t group_rows_ = 0;
  bool is_forward_ = true;
  std::optional<Error> error_;
};

}  // namespace

Result<std::unique_ptr<engine::Cursor>> MemoryEngine::scan(const Range& range,
                                                           const engine::View& view) {
  engine::View at = view;
  if (view.is_latest()) {
    ASHLAR_TRY_ASSIGN(at, acquire_snapshot());
  }
  // The snapshot comes before `prepare`: so the notes of all that it sees are in their queues (S2).
  std::unique_ptr<MemoryCursor> cursor;
  try {
    cursor = std::make_unique<MemoryCursor>(*this, range, at, view.is_latest());
  } catch (...) {
    if (view.is_latest()) release_snapshot(at.sequence);
    throw;
  }
  const Locals::Hold local(locals_);
  if (ordered_.prepare(*local)) return cursor;
  return std::unexpected(
      Error(ErrorCode::kOutOfSpace, "the ordered side does not fit into the memory budget of " +
                                        std::to_string(parts_.budget->limit_bytes()) + " bytes"));
}

Result<void> MemoryEngine::collect_from(std::string_view from, std::size_t count_max, KeyList& out,
                                        KeyTree::Position& position) {
  // Between the two calls the background may drop the tree again, though hardly twice: a scan that
  // has just asked for it counts as use.
  while (!ordered_.collect_from(from, count_max, out, position)) {
    const Locals::Hold local(locals_);
    if (!ordered_.prepare(*local)) return std::unexpected(refuse(*local));
  }
  return {};
}

Result<void> MemoryEngine::collect_before(const std::string_view* before, std::size_t count_max,
                                          KeyList& out) {
  while (!ordered_.collect_before(before, count_max, out)) {
    const Locals::Hold local(locals_);
    if (!ordered_.prepare(*local)) return std::unexpected(refuse(*local));
  }
  return {};
}

}  // namespace ashlar::memory
