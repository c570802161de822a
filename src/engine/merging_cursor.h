/// \file
/// Many ordered walks as one, of which the newest has the say about a key.
///
///     tree_[0]            the source that stands on the row: the winner
///     tree_[1 .. n-1]     at each inner node the source that lost there
///     source s            is the leaf n + s; the node above i is i / 2
///
/// A step moves the winner's source and plays it against the losers between its leaf and the root:
/// one comparison a level, and a comparison is one of two cached heads (base/key_head.h) unless
/// those are equal. Heads are taken behind what all keys at hand begin with, as keys of one table
/// of an application do: of keys that share their first eight bytes all heads would be equal (16
/// sources with such keys: a step of 94 ns without, see `prefix_`). While one source keeps winning,
/// the best of those losers, the runner-up, is known, and a step is one comparison in all.
///
/// Invariants:
///   U6  All keys that sources stand on begin with the prefix, and ranks are those of what follows.
///   U7  Of equal keys only the newest source's row is handed out; so a key is handed out once.
///   U8  Walking forward each source stands on its first key at or after the one handed out, or at
///       its end; backward on its last at or before it, or before its beginning. So a turn is one
///       step of each source.
///   U9  The loser at a node has lost against the winner of the subtree below it. So a source that
///       wins and has beaten no equal key (`is_above_equal`) is alone with its key.
///   U10  When a source fails the whole is invalid, and `status` says why, until the next seek.
///
/// Source: Knuth, The Art of Computer Programming 3, section 5.4.1 (tree of losers).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "engine/row_cursor.h"

namespace ashlar::engine {

/// Threads:  externally synchronised.
/// Lifetime: that of what its sources walk over, which does not change meanwhile.
class MergingCursor final : public RowCursor {
 public:
  /// Merges `sources`, the newest first; there may be none.
  explicit MergingCursor(std::vector<std::unique_ptr<RowCursor>> sources);

  void seek_to_first() override;
  void seek_to_last() override;

  /// Cost: a seek of each source; forward from a valid row only of those that are not there yet
  void seek(std::string_view key) override;
  void seek_for_previous(std::string_view key) override;

  /// Cost: a step of one source and a comparison for each doubling of their number; a step of every
  ///       source when the direction changes
  void next() override;
  void previous() override;

  Result<void> status() const override;

  // For a merge that takes many rows of one source together. The cursor is valid and goes forward.

  /// The source that the row at hand is from: its place among those that are merged.
  std::size_t source() const noexcept;

  /// Whether what is next, up to the last key that is not behind `last`, is all from that source.
  ///
  /// Input: last  the key at hand, or one behind it
  /// Cost:  a comparison for each doubling of the number of sources
  bool is_alone_up_to(std::string_view last);

  /// Goes on from where that source stands, which its owner has moved forward. It was alone up to
  /// the row before.
  void resume();

  /// Aborts unless U6 to U10 hold.
  void check() const;

 private:
  enum class Direction : std::uint8_t { kForward, kBackward };

  /// A source and, cached, where it stands. 40 bytes: what comparisons and steps look at.
  struct Source {
    std::uint64_t rank = 0;  ///< The key's head, complemented backward: the smaller one wins.
    std::string_view key;    ///< Without an address at the end of the source.
    std::unique_ptr<RowCursor> cursor;
    bool is_above_equal = false;  ///< Whether it has beaten a source with the same key.

    bool is_at_end() const noexcept { return key.data() == nullptr; }
  };
  using Index = std::uint32_t;
  static constexpr Index kNone = ~Index{0};
  static constexpr std::size_t kPrefixBytesMax = 64;  // A line; few keys share more.

  Source& winner() noexcept { return sources_[tree_[0]]; }
  const Source& winner() const noexcept { return sources_[tree_[0]]; }
  int compare_rest(const Source& left, const Source& right) const noexcept;
  bool beats(Index left, Index right) noexcept;

  std::string_view prefix() const noexcept { return {prefix_.data(), prefix_bytes_}; }
  std::uint64_t rank_of(std::string_view key) const noexcept;
  void shorten_prefix(std::string_view key) noexcept;
  void choose_prefix() noexcept;
  void load(Source& source);
  void step(Source& source);
  void advance();
  void settle();
  void show_winner() noexcept;
  void advance_beyond_key();
  void replay(Index source);
  void find_runner_up();
  void build();
  void turn(Direction direction);

  template <typename Seek>
  void seek_all(Direction direction, Seek seek_one);

  std::vector<Source> sources_;
  std::vector<Index> tree_;
  std::vector<Index> subtree_;  // While the tree is built: the winner of the subtree at each node.
  Index runner_up_ = kNone;     // The best of all but the winner, when that is known.
  // What all keys at hand begin with. Chosen by a seek; it gets shorter when a key comes that
  // begins otherwise, and longer only with the next seek.
  std::array<char, kPrefixBytesMax> prefix_ = {};
  std::size_t prefix_bytes_ = 0;
  Direction direction_ = Direction::kForward;
  std::optional<Error> error_;
};

}  // namespace ashlar::engine
