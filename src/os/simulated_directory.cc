// Two maps of names and the changes between them (F7). Every change is made to what is seen at
// once, and to what is durable by a sync, or by a power cut that happens to keep it.

#include "os/simulated_directory.h"

#include <utility>

#include "base/assert.h"

namespace ashlar::os {

const SimulatedEntry* SimulatedDirectory::find(const std::string& name) const {
  const auto found = seen_.find(name);
  return found == seen_.end() ? nullptr : &found->second;
}

std::vector<std::string> SimulatedDirectory::names() const {
  std::vector<std::string> names;
  names.reserve(seen_.size());
  for (const auto& [name, entry] : seen_) names.push_back(name);
  return names;
}

// The one meaning of a change, for what is seen, for the medium and for what a power cut leaves. It
// holds whether or not the changes before it were made.
void SimulatedDirectory::apply(const Change& change, Entries& entries) {
  if (change.to.empty()) {
    entries.erase(change.from);
    return;
  }
  // A rename takes along whatever name the medium has for the file: an earlier rename of it may
  // have been lost, and no file may end with two names.
  if (!change.from.empty()) {
    std::erase_if(entries, [&](const auto& named) { return named.second == change.entry; });
  }
  entries.insert_or_assign(change.to, change.entry);
}

// The callers have looked which names there are, as the answers of a disk depend on it: a name that
// does not fit is an error of the simulation and no error of the program.
void SimulatedDirectory::create(const std::string& name, SimulatedEntry entry) {
  ASHLAR_ASSERT((entry.file == nullptr) != (entry.directory == nullptr),
                "a name leads to a file or to a directory");
  ASHLAR_ASSERT(!seen_.contains(name), "only a name that is free is given");
  pending_.push_back({.from = {}, .to = name, .entry = std::move(entry)});
  apply(pending_.back(), seen_);
}

void SimulatedDirectory::remove(const std::string& name) {
  const SimulatedEntry* const entry = find(name);
  ASHLAR_ASSERT(entry != nullptr, "only a name that is there is removed");
  pending_.push_back({.from = name, .to = {}, .entry = *entry});
  apply(pending_.back(), seen_);
}

void SimulatedDirectory::rename(const std::string& from, const std::string& to) {
  const SimulatedEntry* const entry = find(from);
  ASHLAR_ASSERT(entry != nullptr, "only a name that is there is changed");
  ASHLAR_ASSERT(from != to, "a name is changed to another");
  pending_.push_back({.from = from, .to = to, .entry = *entry});
  apply(pending_.back(), seen_);
}

// In the order in which they were made, so that the last one of a name holds.
void SimulatedDirectory::sync() {
  for (const Change& change : pending_) apply(change, durable_);
  pending_.clear();
  ASHLAR_DEBUG_ASSERT(seen_ == durable_,
                      "F7: the pending changes are all there is between the two");
}

// Torn writes are about bytes: names are kept then, so that there is a file to look at.
bool SimulatedDirectory::is_kept(PowerCut how, CutRandom& random, std::uint64_t likely) {
  switch (how) {
    case PowerCut::kKeepNothing:
      return false;
    case PowerCut::kKeepRandom:
      return random.chance(likely);
    case PowerCut::kKeepEverything:
    case PowerCut::kTorn:
    case PowerCut::kTorn4K:
      return true;
  }
  ASHLAR_ASSERT(false, "a power cut is of one of five kinds");
}

// Each change is kept or lost for itself, so that the medium may have a later one without those
// before it: no file system promises more than F3.
void SimulatedDirectory::cut_power(PowerCut how, CutRandom& random) {
  const std::uint64_t likely = random.sixteenths();
  for (const Change& change : pending_) {
    if (is_kept(how, random, likely)) apply(change, durable_);
  }
  pending_.clear();
  // Only what still has a name is of interest from here on; the rest is gone with its last name.
  seen_ = durable_;
  for (const auto& [name, entry] : seen_) {
    if (entry.file != nullptr) entry.file->cut_power(how, random);
    if (entry.directory != nullptr) entry.directory->cut_power(how, random);
  }
}

void SimulatedDirectory::for_each_file(const std::function<void(SimulatedFile&)>& visit) const {
  for (const auto& [name, entry] : seen_) {
    if (entry.file != nullptr) visit(*entry.file);
    if (entry.directory != nullptr) entry.directory->for_each_file(visit);
  }
}

// What has been copied already: the copies of two names for one file lead to one file again.
struct SimulatedDirectory::Copies {
  std::map<const SimulatedFile*, std::shared_ptr<SimulatedFile>> files;
  std::map<const SimulatedDirectory*, std::shared_ptr<SimulatedDirectory>> directories;

  SimulatedEntry copy(const SimulatedEntry& entry) {
    if (entry.file != nullptr) {
      auto& file = files[entry.file.get()];
      if (file == nullptr) file = entry.file->clone();
      return {.file = file, .directory = nullptr};
    }
    auto& directory = directories[entry.directory.get()];
    if (directory == nullptr) directory = entry.directory->copy_with(*this);
    return {.file = nullptr, .directory = directory};
  }
};

std::shared_ptr<SimulatedDirectory> SimulatedDirectory::copy_with(Copies& copies) const {
  auto twin = std::make_shared<SimulatedDirectory>();
  // A file without a name on either side lives on in a pending change, and a cut may bring it back.
  for (const auto& [name, entry] : seen_) twin->seen_.emplace(name, copies.copy(entry));
  for (const auto& [name, entry] : durable_) twin->durable_.emplace(name, copies.copy(entry));
  for (const Change& change : pending_) {
    twin->pending_.push_back(
        {.from = change.from, .to = change.to, .entry = copies.copy(change.entry)});
  }
  return twin;
}

std::shared_ptr<SimulatedDirectory> SimulatedDirectory::clone() const {
  Copies copies;
  return copy_with(copies);
}

void SimulatedDirectory::check() const {
  Entries replayed = durable_;
  for (const Change& change : pending_) apply(change, replayed);
  ASHLAR_ASSERT(replayed == seen_, "F7: the medium and the pending changes make what is seen");
  for (const auto& [name, entry] : seen_) {
    if (entry.file != nullptr) entry.file->check();
    if (entry.directory != nullptr) entry.directory->check();
  }
}

}  // namespace ashlar::os
