/// \file
/// A store of versions in a few lines that keeps the promise it is told to keep, or breaks it in
/// the way it is told to: what the checker is tried on.
///
/// A transaction reads at the sequence that was the last when it began and buffers its writes.
/// Commits take a sequence each, unless what they replace, or read, has a later one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "testing/isolation/transaction.h"
#include "testing/random.h"

namespace ashlar::testing {

enum class ToyPromise : std::uint8_t {
  kSerializable,       ///< What was read is validated at the commit, ranges too.
  kSnapshot,           ///< What is written is: the first committer wins.
  kNoRangeValidation,  ///< Serializable, but for ranges.
  // From here on kSnapshot with a bug.
  kNoConflicts,     ///< Nothing is validated.
  kReadsLatest,     ///< Reads see what is committed when they are made.
  kReadsBuffers,    ///< Reads see what others have not committed yet.
  kAbortsLeak,      ///< What is rolled back is applied nevertheless.
  kTornCommits,     ///< Half of a commit is applied a step later.
  kStaleSnapshots,  ///< A transaction may begin at an earlier sequence.
  kLosesCommits,    ///< Some are acknowledged and not applied.
  kAppendsTwice,    ///< Some appends are applied twice.
  kForks,           ///< Some commits are seen late by other sessions, each by itself.
  kForgetsOwn,      ///< Reads pass by what the transaction itself wrote.
};

/// Threads: externally synchronised.
class ToyStore {
 public:
  struct Content {
    std::uint64_t value = kAbsent;
    std::vector<std::uint64_t> elements = {};
  };

  /// A transaction under way.
  struct Running {
    std::uint64_t snapshot = 0;
    std::set<std::uint64_t> hidden = {};  // Sequences up to the snapshot that it does not see.
    std::map<std::string, Content> writes = {};
    std::set<std::string> reads = {};
    std::vector<std::pair<std::string, std::string>> ranges = {};
  };

  ToyStore(ToyPromise promise, std::uint64_t seed) : promise_(promise), random_(seed) {}

  void begin(Running& running) {
    running.snapshot = sequence_;
    if (promise_ == ToyPromise::kStaleSnapshots) {
      running.snapshot -= std::min(sequence_, random_.below(5));
    }
    for (std::uint64_t i = 0; promise_ == ToyPromise::kForks && i < 4; ++i) {
      if (sequence_ > i && random_.chance(50)) running.hidden.insert(sequence_ - i);
    }
    active_.insert(&running);
  }

  /// Runs `operation` and fills in what it reads.
  void run(Running& running, Operation& operation) {
    switch (operation.kind) {
      case OperationKind::kAppend:
        append(running, operation);
        break;
      case OperationKind::kWrite:
      case OperationKind::kErase:
        running.writes[operation.key] = {.value = operation.value};
        break;
      case OperationKind::kReadList:
        operation.elements = read(running, operation.key).elements;
        break;
      case OperationKind::kRead:
        operation.value = read(running, operation.key).value;
        break;
      case OperationKind::kReadRange:
        read_range(running, operation);
        break;
    }
  }

  /// Returns: whether it is committed; else it was rolled back for a conflict
  bool commit(Running& running) {
    active_.erase(&running);
    finish_torn();
    if (!may_commit(running)) {
      if (promise_ == ToyPromise::kAbortsLeak) apply(running.writes);
      return false;
    }
    if (running.writes.empty()) return true;
    if (promise_ == ToyPromise::kLosesCommits && random_.chance(2)) return true;
    if (promise_ == ToyPromise::kTornCommits) {
      torn_.insert(running.writes.extract(running.writes.begin()));
    }
    apply(running.writes);
    return true;
  }

  void roll_back(Running& running) {
    active_.erase(&running);
    if (promise_ == ToyPromise::kAbortsLeak) apply(running.writes);
  }

 private:
  struct Version {
    std::uint64_t sequence = 0;
    Content content = {};
  };

  static bool is_seen(const Running& running, std::uint64_t sequence) {
    return sequence <= running.snapshot && !running.hidden.contains(sequence);
  }

  void append(Running& running, const Operation& operation) {
    Content content = read(running, operation.key);
    content.elements.push_back(operation.value);
    if (promise_ == ToyPromise::kAppendsTwice && random_.chance(5)) {
      content.elements.push_back(operation.value);
    }
    running.reads.insert(operation.key);
    running.writes[operation.key] = std::move(content);
  }

  Content read(Running& running, const std::string& key) {
    const auto own = running.writes.find(key);
    if (own != running.writes.end() && promise_ != ToyPromise::kForgetsOwn) return own->second;
    running.reads.insert(key);
    return committed(running, key);
  }

  Content committed(const Running& running, const std::string& key) const {
    if (promise_ == ToyPromise::kReadsBuffers) {
      for (const Running* other : active_) {
        const auto found = other->writes.find(key);
        if (found != other->writes.end()) return found->second;
      }
    }
    const auto found = versions_.find(key);
    if (found == versions_.end()) return {};
    if (promise_ == ToyPromise::kReadsLatest) return found->second.back().content;
    for (auto version = found->second.rbegin(); version != found->second.rend(); ++version) {
      if (is_seen(running, version->sequence)) return version->content;
    }
    return {};
  }

  void read_range(Running& running, Operation& operation) {
    running.ranges.emplace_back(operation.key, operation.last);
    std::set<std::string> keys;
    for (const auto& [key, versions] : versions_) keys.insert(key);
    for (const auto& [key, content] : running.writes) keys.insert(key);
    for (const std::string& key : keys) {
      if (!is_within(key, operation.key, operation.last)) continue;
      const bool is_known = running.reads.contains(key);
      const std::uint64_t value = read(running, key).value;
      if (value != kAbsent) operation.found.push_back({.key = key, .value = value});
      if (!is_known && value == kAbsent) running.reads.erase(key);  // Only the range tells of it.
    }
  }

  static bool is_within(const std::string& key, const std::string& first, const std::string& last) {
    return key >= first && (last.empty() || key < last);
  }

  bool is_replaced(const Running& running, const std::string& key) const {
    const auto found = versions_.find(key);
    return found != versions_.end() &&
           std::ranges::any_of(found->second, [&](const Version& version) {
             return !is_seen(running, version.sequence);
           });
  }

  bool may_commit(const Running& running) const {
    const auto is_stale = [&](const std::string& key) { return is_replaced(running, key); };
    if (promise_ == ToyPromise::kNoConflicts) return true;
    for (const auto& [key, content] : running.writes) {
      if (is_stale(key)) return false;
    }
    const bool is_snapshot =
        promise_ != ToyPromise::kSerializable && promise_ != ToyPromise::kNoRangeValidation;
    if (is_snapshot) return true;
    if (std::ranges::any_of(running.reads, is_stale)) return false;
    if (promise_ == ToyPromise::kNoRangeValidation) return true;
    return std::ranges::none_of(running.ranges, [&](const auto& range) {
      return std::ranges::any_of(versions_, [&](const auto& entry) {
        return is_within(entry.first, range.first, range.second) && is_stale(entry.first);
      });
    });
  }

  void apply(const std::map<std::string, Content>& writes) {
    ++sequence_;
    for (const auto& [key, content] : writes) {
      versions_[key].push_back({.sequence = sequence_, .content = content});
    }
  }

  void finish_torn() {
    if (torn_.empty()) return;
    apply(std::exchange(torn_, {}));
  }

  const ToyPromise promise_;
  Random random_;
  std::uint64_t sequence_ = 0;
  std::map<std::string, std::vector<Version>> versions_;  // Oldest first.
  std::map<std::string, Content> torn_;                   // What is still to apply of a commit.
  std::set<const Running*> active_;
};

}  // namespace ashlar::testing
