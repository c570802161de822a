// The calls of the simulated machine that work on names, and the way from a path to what it leads
// to. What a name then goes through is in simulated_directory.cc.

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "base/assert.h"
#include "os/simulated_disk.h"

namespace ashlar::os {
namespace {

// The names in `path`, from the root on.
std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) names.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

}  // namespace

// Where the last name of `path` stands or would stand, whether or not there is such a name.
SimulatedDisk::Place SimulatedDisk::find_place_locked(const std::string& path) const {
  const std::vector<std::string> names = split(path);
  if (names.empty()) return {.directory = nullptr, .name = {}};
  SimulatedDirectory* directory = root_.get();
  for (const std::string& name : std::span(names).first(names.size() - 1)) {
    const SimulatedEntry* const entry = directory->find(name);
    directory = entry != nullptr ? entry->directory.get() : nullptr;
    if (directory == nullptr) break;
  }
  return {.directory = directory, .name = names.back()};
}

SimulatedDirectory* SimulatedDisk::find_directory_locked(const std::string& path) const {
  if (split(path).empty()) return root_.get();
  const Place place = find_place_locked(path);
  if (place.directory == nullptr) return nullptr;
  const SimulatedEntry* const entry = place.directory->find(place.name);
  return entry != nullptr ? entry->directory.get() : nullptr;
}

std::shared_ptr<SimulatedFile> SimulatedDisk::find_file_locked(const std::string& path) const {
  const Place place = find_place_locked(path);
  if (place.directory == nullptr) return nullptr;
  const SimulatedEntry* const entry = place.directory->find(place.name);
  return entry != nullptr ? entry->file : nullptr;
}

// Within one directory, which is all that the house does: a move between two would be durable in
// either without the other, and the simulation would have to know which.
int SimulatedDisk::rename(const std::string& from, const std::string& to) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  const Place old_place = find_place_locked(from);
  const Place new_place = find_place_locked(to);
  if (old_place.directory == nullptr || new_place.directory == nullptr) return -ENOENT;
  const SimulatedEntry* const entry = old_place.directory->find(old_place.name);
  if (entry == nullptr) return -ENOENT;
  if (old_place.directory != new_place.directory) return -EXDEV;
  if (old_place.name == new_place.name) return 0;
  const SimulatedEntry* const replaced = new_place.directory->find(new_place.name);
  // The systems replace empty directories too; nobody here has a use for it.
  if (replaced != nullptr && replaced->directory != nullptr) return -EISDIR;
  if (replaced != nullptr && entry->directory != nullptr) return -ENOTDIR;
  old_place.directory->rename(old_place.name, new_place.name);
  return 0;
}

// Handles and mappings go on with a file that has lost its name.
int SimulatedDisk::remove(const std::string& path) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  const Place place = find_place_locked(path);
  if (place.directory == nullptr) return -ENOENT;
  const SimulatedEntry* const entry = place.directory->find(place.name);
  if (entry == nullptr) return -ENOENT;
  if (entry->directory != nullptr) return -EISDIR;
  place.directory->remove(place.name);
  return 0;
}

// Into another directory only, as `rename` is inside of one only: a directory of the simulation
// tells its files apart by what they are, and takes two names of one file for a rename.
int SimulatedDisk::link(const std::string& from, const std::string& to) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  const Place old_place = find_place_locked(from);
  const Place new_place = find_place_locked(to);
  if (old_place.directory == nullptr || new_place.directory == nullptr) return -ENOENT;
  const SimulatedEntry* const entry = old_place.directory->find(old_place.name);
  if (entry == nullptr) return -ENOENT;
  if (entry->file == nullptr) return -EPERM;
  if (new_place.directory->find(new_place.name) != nullptr) return -EEXIST;
  if (old_place.directory == new_place.directory) return -EXDEV;
  new_place.directory->create(new_place.name, *entry);
  return 0;
}

int SimulatedDisk::make_directory(const std::string& path) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  if (split(path).empty()) return -EEXIST;
  const Place place = find_place_locked(path);
  if (place.directory == nullptr) return -ENOENT;
  if (place.directory->find(place.name) != nullptr) return -EEXIST;
  auto directory = std::make_shared<SimulatedDirectory>();
  place.directory->create(place.name, {.file = nullptr, .directory = std::move(directory)});
  return 0;
}

// The names in this one directory (F3), and not the content of its files, nor its own name above.
int SimulatedDisk::sync_directory(const std::string& path) {
  const base::MutexLock lock(mutex_);
  if (!begin_call_locked()) return -EIO;
  SimulatedDirectory* const directory = find_directory_locked(path);
  if (directory == nullptr) return -ENOENT;
  directory->sync();
  return 0;
}

int SimulatedDisk::list(const std::string& path, std::vector<std::string>& names) {
  const base::MutexLock lock(mutex_);
  // Also when the call fails: no caller takes an old listing for a new one.
  names.clear();
  if (!begin_call_locked()) return -EIO;
  const SimulatedDirectory* const directory = find_directory_locked(path);
  if (directory == nullptr) return -ENOENT;
  names = directory->names();
  return 0;
}

}  // namespace ashlar::os
