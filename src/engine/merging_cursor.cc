#include "engine/merging_cursor.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/key_head.h"

namespace ashlar::engine {
namespace {

// What a source at its end ranks: nothing ranks worse, and a key with that head wins the tie.
constexpr std::uint64_t kWorstRank = ~std::uint64_t{0};

/// What follows the first `bytes` of `key`, which has as many.
std::string_view behind(std::string_view key, std::size_t bytes) noexcept {
  return {key.data() + bytes, key.size() - bytes};
}

std::size_t common_bytes(std::string_view left, std::string_view right) noexcept {
  const auto [end, other_end] = std::ranges::mismatch(left, right);
  return static_cast<std::size_t>(end - left.begin());
}

}  // namespace

MergingCursor::MergingCursor(std::vector<std::unique_ptr<RowCursor>> sources) {
  ASHLAR_ASSERT(sources.size() < kNone, "sources can be counted");
  sources_.reserve(sources.size());
  for (std::unique_ptr<RowCursor>& cursor : sources) {
    ASHLAR_ASSERT(cursor != nullptr, "every source is there");
    Source& source = sources_.emplace_back();
    source.cursor = std::move(cursor);
  }
  tree_.assign(sources_.size(), 0);
  subtree_.assign(2 * sources_.size(), 0);
}

/// The order of two sources with equal ranks: below 0 when `left` comes first, 0 for equal keys.
int MergingCursor::compare_rest(const Source& left, const Source& right) const noexcept {
  if (left.is_at_end() || right.is_at_end()) {
    return static_cast<int>(left.is_at_end()) - static_cast<int>(right.is_at_end());
  }
  // The heads are equal, so what may differ begins behind them, unless a key ends within its head.
  const std::size_t head_end = prefix_bytes_ + base::kKeyHeadBytes;
  const bool has_heads = std::min(left.key.size(), right.key.size()) >= head_end;
  const std::size_t from = has_heads ? head_end : prefix_bytes_;
  const int order = behind(left.key, from).compare(behind(right.key, from));
  return direction_ == Direction::kForward ? order : -order;
}

/// Whether `left` comes before `right`. Of equal keys the newer source does, and remembers it (U9).
inline bool MergingCursor::beats(Index left, Index right) noexcept {
  Source& a = sources_[left];
  Source& b = sources_[right];
  if (a.rank != b.rank) [[likely]]
    return a.rank < b.rank;
  const int order = compare_rest(a, b);
  if (order != 0) return order < 0;
  const bool is_newer = left < right;
  if (!a.is_at_end()) (is_newer ? a : b).is_above_equal = true;
  return is_newer;
}

inline std::uint64_t MergingCursor::rank_of(std::string_view key) const noexcept {
  const std::uint64_t head = base::key_head(behind(key, prefix_bytes_));
  return direction_ == Direction::kForward ? head : ~head;
}

/// Cuts the prefix down to what `key` begins with too. The order of the sources stays what it is,
/// so the tree does: only what they are compared by is taken from further left.
void MergingCursor::shorten_prefix(std::string_view key) noexcept {
  ASHLAR_ASSERT(!key.starts_with(prefix()), "U6: a prefix is cut for a key that has another one");
  prefix_bytes_ = common_bytes(prefix(), key);
  for (Source& source : sources_) {
    // The one that stands on `key` is being looked at, and has neither key nor rank meanwhile.
    if (!source.is_at_end()) source.rank = rank_of(source.key);
  }
}

/// The longest prefix that all keys at hand have. A single source is compared with nobody.
void MergingCursor::choose_prefix() noexcept {
  ASHLAR_ASSERT(prefix_bytes_ == 0, "U6: ranks are those of whole keys until a prefix is chosen");
  if (sources_.size() < 2) return;
  std::string_view shared;
  for (const Source& source : sources_) {
    if (source.is_at_end()) continue;
    if (shared.data() == nullptr) shared = source.key.substr(0, kPrefixBytesMax);
    shared = shared.substr(0, common_bytes(shared, source.key));
  }
  if (shared.empty()) return;
  std::ranges::copy(shared, prefix_.begin());
  prefix_bytes_ = shared.size();
  for (Source& source : sources_) {
    if (!source.is_at_end()) source.rank = rank_of(source.key);
  }
}

/// Looks where a source stands. One that has failed makes the whole invalid (U10).
inline void MergingCursor::load(Source& source) {
  source.is_above_equal = false;
  if (const StoredRow* const row = source.cursor->row()) [[likely]] {
    const std::string_view key = row->key;
    source.key = {};
    if (!key.starts_with(prefix())) [[unlikely]]
      shorten_prefix(key);
    source.key = key;
    source.rank = rank_of(key);
    return;
  }
  source.key = {};
  source.rank = kWorstRank;
  if (error_) return;
  if (const Result<void> status = source.cursor->status(); !status) error_ = status.error();
}

inline void MergingCursor::step(Source& source) {
  if (direction_ == Direction::kForward) {
    source.cursor->next();
  } else {
    source.cursor->previous();
  }
  load(source);
}

/// Plays `source`, which has moved, from its leaf to the root.
void MergingCursor::replay(Index source) {
  Index best = source;
  for (std::size_t node = (sources_.size() + source) / 2; node > 0; node /= 2) {
    if (beats(tree_[node], best)) std::swap(tree_[node], best);
  }
  tree_[0] = best;
}

/// The best of those that the winner has beaten: all others have lost to one of them (U9).
void MergingCursor::find_runner_up() {
  for (std::size_t node = (sources_.size() + tree_[0]) / 2; node > 0; node /= 2) {
    if (runner_up_ == kNone || beats(tree_[node], runner_up_)) runner_up_ = tree_[node];
  }
}

inline void MergingCursor::show_winner() noexcept {
  show(winner().is_at_end() || error_ ? nullptr : winner().cursor->row());
}

/// Moves the winner's source and finds the next winner.
inline void MergingCursor::advance() {
  step(sources_[tree_[0]]);
  settle();
}

/// Finds the next winner, after the source of the one before has moved.
///
/// The runner-up is looked for when a source has won twice running, so that sources which take
/// turns do not pay for it, and ones which come in streaks pay once a streak.
inline void MergingCursor::settle() {
  const Index source = tree_[0];
  if (runner_up_ != kNone && beats(source, runner_up_)) return;
  runner_up_ = kNone;
  replay(source);
  if (tree_[0] == source) find_runner_up();
}

/// Moves all sources that stand on the key at hand, so that what is next is another key (U7). Who
/// comes next stands on the same key exactly when the one before it had beaten an equal one (U9),
/// so no key is looked at for it.
inline void MergingCursor::advance_beyond_key() {
  bool has_equal = true;
  while (has_equal) {
    has_equal = winner().is_above_equal;
    advance();
  }
  show_winner();
}

/// Plays all sources against each other, from the leaves up.
void MergingCursor::build() {
  choose_prefix();
  const std::size_t count = sources_.size();
  for (std::size_t i = 0; i < count; ++i) subtree_[count + i] = static_cast<Index>(i);
  for (std::size_t node = count - 1; node > 0; --node) {
    const Index left = subtree_[2 * node];
    const Index right = subtree_[2 * node + 1];
    const bool is_left = beats(left, right);
    subtree_[node] = is_left ? left : right;
    tree_[node] = is_left ? right : left;
  }
  tree_[0] = subtree_[1];
  runner_up_ = kNone;
  show_winner();
}

template <typename Seek>
void MergingCursor::seek_all(Direction direction, Seek seek_one) {
  error_.reset();
  direction_ = direction;
  prefix_bytes_ = 0;
  show(nullptr);
  if (sources_.empty()) return;
  for (Source& source : sources_) {
    seek_one(source);
    load(source);
  }
  build();
}

void MergingCursor::seek_to_first() {
  seek_all(Direction::kForward, [](Source& source) { source.cursor->seek_to_first(); });
}

void MergingCursor::seek_to_last() {
  seek_all(Direction::kBackward, [](Source& source) { source.cursor->seek_to_last(); });
}

void MergingCursor::seek(std::string_view key) {
  // Going forward a source that stands at `key` or beyond is where it should be already (U8).
  const bool is_ahead = is_valid() && direction_ == Direction::kForward && winner().key <= key;
  seek_all(Direction::kForward, [&](Source& source) {
    const bool is_there = is_ahead && (source.is_at_end() || source.key >= key);
    if (!is_there) source.cursor->seek(key);
  });
}

void MergingCursor::seek_for_previous(std::string_view key) {
  seek_all(Direction::kBackward, [&](Source& source) { source.cursor->seek_for_previous(key); });
}

/// Turns round: moves every source to the other side of the key at hand (U8).
void MergingCursor::turn(Direction direction) {
  seek_all(direction, [&](Source& source) {
    RowCursor& cursor = *source.cursor;
    if (direction == Direction::kForward) {
      return source.is_at_end() ? cursor.seek_to_first() : cursor.next();
    }
    return source.is_at_end() ? cursor.seek_to_last() : cursor.previous();
  });
}

void MergingCursor::next() {
  ASHLAR_ASSERT(is_valid(), "only a valid cursor is stepped");
  if (direction_ != Direction::kForward) return turn(Direction::kForward);
  advance_beyond_key();
}

void MergingCursor::previous() {
  ASHLAR_ASSERT(is_valid(), "only a valid cursor is stepped");
  if (direction_ != Direction::kBackward) return turn(Direction::kBackward);
  advance_beyond_key();
}

std::size_t MergingCursor::source() const noexcept {
  ASHLAR_ASSERT(is_valid(), "only a valid cursor is read");
  return tree_[0];
}

bool MergingCursor::is_alone_up_to(std::string_view last) {
  ASHLAR_ASSERT(is_valid() && direction_ == Direction::kForward, "a merge goes forward");
  ASHLAR_DEBUG_ASSERT(winner().key <= last, "what is taken together begins at the key at hand");
  if (runner_up_ == kNone) find_runner_up();
  if (runner_up_ == kNone) return true;  // There is no other source.
  const Source& next = sources_[runner_up_];
  return next.is_at_end() || last < next.key;
}

void MergingCursor::resume() {
  ASHLAR_ASSERT(is_valid() && direction_ == Direction::kForward, "a merge goes forward");
  ASHLAR_ASSERT(!winner().is_above_equal,
                "U9: a source that is moved alone was alone with its key");
  load(winner());
  settle();
  show_winner();
}

Result<void> MergingCursor::status() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

void MergingCursor::check() const {
  ASHLAR_ASSERT(!is_valid() || !error_, "U10: a cursor that has failed is invalid");
  if (!is_valid()) return;
  for (Index i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    if (source.is_at_end()) continue;
    ASHLAR_ASSERT(source.key.starts_with(prefix()), "U6: all keys begin with the prefix");
    ASHLAR_ASSERT(source.rank == rank_of(source.key), "U6: a rank is that of what follows");
    const bool is_beyond =
        direction_ == Direction::kForward ? source.key >= winner().key : source.key <= winner().key;
    ASHLAR_ASSERT(is_beyond, "U8: every source stands at the key at hand or beyond");
    if (source.key != winner().key || i == tree_[0]) continue;
    ASHLAR_ASSERT(i > tree_[0], "U7: of equal keys the newest is handed out");
    ASHLAR_ASSERT(winner().is_above_equal, "U9: who has won knows whether a key is its alone");
  }
}

}  // namespace ashlar::engine
