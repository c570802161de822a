/// \file
/// The database as plainly as it can be written: an ordered map from a key to its versions. What it
/// says is right; an engine that says otherwise is wrong.
///
/// It shares no code with the library but the type of a sequence, so that it shares no mistake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ashlar::testing {

/// When a read is made: commits up to `sequence` are seen, and keys whose deadline is after
/// `time_ms`.
struct Moment {
  std::uint64_t sequence = 0;
  std::int64_t time_ms = 0;
};

/// Keys, values, deadlines and all their versions that a held moment may still see.
///
/// Time is told by `advance`; nothing moves it but the test.
///
/// Threads: externally synchronised.
class Model {
 public:
  static constexpr std::int64_t kNever = INT64_MAX;

  struct Entry {
    std::string value;
    std::int64_t deadline_ms = kNever;
  };

  explicit Model(std::int64_t now_ms) noexcept : now_ms_(now_ms) {}

  std::int64_t now_ms() const noexcept { return now_ms_; }
  void advance(std::int64_t by_ms) noexcept { now_ms_ += by_ms; }

  /// The moment that a read at latest is made at.
  Moment latest() const noexcept { return {.sequence = sequence_, .time_ms = now_ms_}; }

  void put(std::string_view key, std::string_view value, std::int64_t deadline_ms = kNever);

  /// Returns: whether the key was there
  bool erase(std::string_view key);

  /// Returns: whether the key was there
  bool expire(std::string_view key, std::int64_t deadline_ms);

  /// Returns: the entry that `key` has at `moment`, or null. Valid until the next write.
  const Entry* find(std::string_view key, const Moment& moment) const;
  const Entry* find(std::string_view key) const { return find(key, latest()); }

  /// Keeps what `latest()` sees until `release` is called with what this returned.
  Moment hold();
  void release(const Moment& moment);
  void release_all();

  /// The neighbour of `key` among the keys there at `moment`; nullopt beyond either end.
  std::optional<std::string> at_or_after(std::string_view key, const Moment& moment) const;
  std::optional<std::string> after(std::string_view key, const Moment& moment) const;
  std::optional<std::string> at_or_before(std::string_view key, const Moment& moment) const;
  std::optional<std::string> before(std::string_view key, const Moment& moment) const;
  std::optional<std::string> last(const Moment& moment) const;

  /// Keys there at `moment`, and those of them with a deadline. Cost: walks all keys.
  struct Counts {
    std::size_t keys = 0;
    std::size_t expiring = 0;
  };
  Counts counts(const Moment& moment) const;

  /// Walks the keys that are there at `moment`.
  void for_each(const Moment& moment,
                const std::function<void(const std::string&, const Entry&)>& use) const;

 private:
  struct Version {
    std::uint64_t sequence;
    std::optional<Entry> entry;  // Nullopt: erased.
  };
  using Versions = std::vector<Version>;  // Oldest first, never empty.
  using Map = std::map<std::string, Versions, std::less<>>;

  static const Entry* visible(const Versions& versions, const Moment& moment);
  void add(std::string_view key, std::optional<Entry> entry);
  void forget_unseen(Versions& versions) const;
  void forget_all_unseen();
  std::optional<std::string> first_from(Map::const_iterator from, const Moment& moment) const;
  std::optional<std::string> last_until(Map::const_iterator until, const Moment& moment) const;

  Map map_;
  std::multiset<std::uint64_t> held_;  // Sequences of the moments held.
  std::vector<std::string> layered_;   // Keys that got a second version; cleared with `held_`.
  std::uint64_t sequence_ = 0;
  std::int64_t now_ms_;
};

}  // namespace ashlar::testing
