/// \file
/// One directory of a SimulatedDisk: the names that programs see, the names that are on the medium,
/// and the changes between the two in the order in which they were made.
///
/// Invariants:
///   F7  The names on the medium with all pending changes made to them are the names that are seen.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "os/simulated_file.h"

namespace ashlar::os {

class SimulatedDirectory;

/// What a name leads to: exactly one of the two. Shared, because a name that programs see, the same
/// name on the medium, pending changes and open handles all lead to one file.
struct SimulatedEntry {
  std::shared_ptr<SimulatedFile> file;
  std::shared_ptr<SimulatedDirectory> directory;

  bool operator==(const SimulatedEntry&) const = default;
};

/// Threads: externally synchronised.
class SimulatedDirectory {
 public:
  /// Returns: null when there is no such name
  const SimulatedEntry* find(const std::string& name) const;
  std::vector<std::string> names() const;

  // Changes that are pending until `sync`.
  void create(const std::string& name, SimulatedEntry entry);
  void remove(const std::string& name);

  /// Renames; what was called `to` before is no longer.
  void rename(const std::string& from, const std::string& to);

  /// Makes all pending changes of names durable, here and not in directories below.
  void sync();

  /// Leaves, here and in all directories below, of names and of files what `how` says. A change of
  /// a name is kept or lost as a whole and independent of all others; `kTorn` keeps them all.
  void cut_power(PowerCut how, CutRandom& random);

  /// Calls `visit` for each file that can be reached here and below by a name that is seen. A
  /// file may come more than once.
  void for_each_file(const std::function<void(SimulatedFile&)>& visit) const;

  /// An equal directory with everything below it, what only the medium or a pending change knows
  /// included.
  std::shared_ptr<SimulatedDirectory> clone() const;

  /// Aborts unless F7 holds, and F5 and F6 of each file.
  void check() const;

 private:
  using Entries = std::map<std::string, SimulatedEntry>;

  // A change of names. Which kind it is shows in which names it has.
  struct Change {
    std::string from;  // Empty: something new.
    std::string to;    // Empty: removed.
    SimulatedEntry entry;
  };
  struct Copies;

  static void apply(const Change& change, Entries& entries);
  static bool is_kept(PowerCut how, CutRandom& random, std::uint64_t likely);
  std::shared_ptr<SimulatedDirectory> copy_with(Copies& copies) const;

  Entries seen_;                 // By programs, at once.
  Entries durable_;              // On the medium: what is left when all pending changes are lost.
  std::vector<Change> pending_;  // In the order in which they were made, since the last sync.
};

}  // namespace ashlar::os
