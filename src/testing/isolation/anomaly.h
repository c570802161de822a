/// \file
/// What can be wrong with a history of transactions, what each level of isolation forbids of it,
/// and the report that says what was found.
///
/// Source: the names G0 to G2 from Adya: "Weak Consistency: A Generalized Theory and Optimistic
/// Implementations for Distributed Transactions", 1999; the rule for snapshot isolation from
/// Fekete, Liarokapis, O'Neil, O'Neil, Shasha: "Making Snapshot Isolation Serializable", TODS 2005.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ashlar::testing {

/// The gravest first. A cycle is one of dependencies; `rw` is one from a reader to the writer of
/// what it did not see yet.
enum class AnomalyKind : std::uint8_t {
  kGarbageRead,        ///< A read found what nobody wrote there, or did not ask for it.
  kDuplicateElement,   ///< A list holds an element twice.
  kLostAppend,         ///< No read found an element, though one began after its commit.
  kIncompatibleOrder,  ///< Reads of a list, or its writer, do not agree on its order.
  kInternal,           ///< A transaction did not see its own write.
  kAbortedRead,        ///< G1a: a read of what was rolled back.
  kIntermediateRead,   ///< G1b: a read of what its writer had not finished.
  kDirtyWrite,         ///< G0: a cycle of writes alone.
  kCircularFlow,       ///< G1c: a cycle of writes, and reads of what was written.
  kLostUpdate,         ///< Two read one version of a key, and both replaced it.
  kReadSkew,           ///< G-single: a cycle with one rw; or two reads of a key that differ.
  kLongFork,           ///< A cycle with several rw, none next to another.
  kStaleRead,          ///< A cycle with one rw that needs the order of sessions or of real time.
  kOrderViolation,     ///< A cycle without rw that needs such an order.
  kWriteSkew,          ///< G2-item: a cycle with two rw next to one another.
  kPhantom,            ///< G2: the same, where a range read missed a key.
};

inline constexpr std::size_t kAnomalyKinds = 16;

/// "lost update", and so on.
std::string_view anomaly_name(AnomalyKind kind) noexcept;

enum class IsolationLevel : std::uint8_t { kSnapshot, kSerializable };

/// Whether `level` lets it happen: nothing at kSerializable; at kSnapshot what only a cycle with
/// two rw next to one another shows.
bool is_allowed(AnomalyKind kind, IsolationLevel level) noexcept;

struct Anomaly {
  AnomalyKind kind = AnomalyKind::kGarbageRead;
  std::vector<std::uint32_t> transactions = {};  ///< Their numbers; a cycle in its order.
  std::string explanation = {};                  ///< Lines for a person to read.
};

/// What was found.
///
/// Threads: externally synchronised.
class IsolationReport {
 public:
  /// How many of each kind are kept with their explanation; all are counted.
  static constexpr std::size_t kKeptMax = 16;

  /// Counts one of `kind`. Returns: whether to `keep` an explanation of it
  bool count_one(AnomalyKind kind);
  void keep(Anomaly anomaly);

  std::uint64_t count(AnomalyKind kind) const;
  std::uint64_t count() const;
  const std::vector<Anomaly>& anomalies() const noexcept { return anomalies_; }

  /// Whether nothing was found that `level` forbids.
  bool holds(IsolationLevel level) const;

  /// Counts by kind, then the explanations; "no anomalies" when there is none.
  std::string text() const;

 private:
  std::array<std::uint64_t, kAnomalyKinds> counts_{};
  std::array<std::uint64_t, kAnomalyKinds> kept_{};
  std::vector<Anomaly> anomalies_;
};

}  // namespace ashlar::testing
