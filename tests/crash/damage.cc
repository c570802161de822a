#include "damage.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace ashlar::crash {
namespace {

constexpr std::uint64_t kShortFileBytes = 64U << 10U;

std::string block_at(const std::string& content, std::uint64_t offset) {
  return offset < content.size() ? content.substr(offset, os::kBlockBytes) : std::string();
}

/// Collects the damage to a world, file by file.
class Collector {
 public:
  Collector(const World& world, const DamagePlan& plan, testing::Random& random)
      : world_(world), plan_(plan), random_(random) {}

  std::vector<Damage> collect() {
    for (const std::string& path : world_.paths) contents_[path] = world_.disk->read_all(path);
    for (const auto& [path, content] : contents_) {
      // A header may be smaller than a block, so also files of one block and less have some.
      add_flips(path, content.size());
      add_zeroed(path, content);
      add_swapped(path, content);
      add_truncated(path, content.size());
      add({.kind = DamageKind::kRemove, .path = path});
      add_earlier(path, content);
    }
    add_swapped_between_files();
    return std::move(damages_);
  }

 private:
  void add(Damage damage) { damages_.push_back(std::move(damage)); }

  void add_flips(const std::string& path, std::uint64_t bytes) {
    if (bytes <= kShortFileBytes) {
      for (std::uint64_t at = 0; at < bytes * 8; at += plan_.bit_stride) {
        add({.path = path, .offset = at / 8, .bit = static_cast<unsigned>(at % 8)});
      }
      return;
    }
    for (std::uint64_t i = 0; i < plan_.long_file_flips; ++i) {
      add({.path = path,
           .offset = random_.below(bytes),
           .bit = static_cast<unsigned>(random_.below(8))});
    }
  }

  void add_zeroed(const std::string& path, const std::string& content) {
    for (std::uint64_t offset = 0; offset < content.size(); offset += os::kBlockBytes) {
      if (block_at(content, offset).find_first_not_of('\0') == std::string::npos) continue;
      add({.kind = DamageKind::kZeroBlock, .path = path, .offset = offset});
    }
  }

  void add_swapped(const std::string& path, const std::string& content) {
    const std::uint64_t count = content.size() / os::kBlockBytes;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs;
    for (std::uint64_t i = 0; i < count; ++i) {
      for (std::uint64_t j = i + 1; j < count; ++j) pairs.emplace_back(i, j);
    }
    thin(pairs, plan_.swap_max);
    for (const auto& [i, j] : pairs) {
      add_swap(path, i * os::kBlockBytes, path, j * os::kBlockBytes);
    }
  }

  void add_swapped_between_files() {
    for (auto one = contents_.begin(); one != contents_.end(); ++one) {
      for (auto other = std::next(one); other != contents_.end(); ++other) {
        const std::uint64_t bytes = std::min(one->second.size(), other->second.size());
        std::vector<std::uint64_t> offsets;
        for (std::uint64_t offset = 0; offset + os::kBlockBytes <= bytes;
             offset += os::kBlockBytes) {
          offsets.push_back(offset);
        }
        thin(offsets, plan_.swap_max);
        for (const std::uint64_t offset : offsets) {
          add_swap(one->first, offset, other->first, offset);
        }
      }
    }
  }

  void add_swap(const std::string& path, std::uint64_t offset, const std::string& other_path,
                std::uint64_t other_offset) {
    const std::string one = block_at(contents_.at(path), offset);
    if (one == block_at(contents_.at(other_path), other_offset)) return;
    add({.kind = DamageKind::kSwapBlocks,
         .path = path,
         .offset = offset,
         .other_path = other_path,
         .other_offset = other_offset});
  }

  void add_truncated(const std::string& path, std::uint64_t bytes) {
    for (std::uint64_t end = 0; end < bytes; end += std::max(os::kBlockBytes, bytes / 40)) {
      add({.kind = DamageKind::kTruncate, .path = path, .offset = end});
      add({.kind = DamageKind::kTruncate, .path = path, .offset = random_.below(bytes)});
    }
  }

  void add_earlier(const std::string& path, const std::string& content) {
    const auto found = world_.history.find(path);
    if (found == world_.history.end()) return;
    const std::vector<std::string>& versions = found->second;
    std::vector<std::size_t> indexes(versions.size());
    for (std::size_t i = 0; i < indexes.size(); ++i) indexes[i] = i;
    std::vector<std::size_t> whole = indexes;
    thin(whole, plan_.old_max);
    for (const std::size_t version : whole) {
      add({.kind = DamageKind::kOldCopy, .path = path, .version = version});
    }
    for (std::uint64_t offset = 0; offset < content.size(); offset += os::kBlockBytes) {
      std::vector<std::size_t> other;
      std::string last = block_at(content, offset);
      for (const std::size_t version : indexes) {
        const std::string block = block_at(versions[version], offset);
        if (block.empty() || block == block_at(content, offset) || block == last) continue;
        other.push_back(version);
        last = block;
      }
      thin(other, plan_.stale_max);
      for (const std::size_t version : other) {
        add({.kind = DamageKind::kStaleBlock, .path = path, .offset = offset, .version = version});
      }
    }
  }

  /// Leaves `count` of them, chosen at random.
  template <typename T>
  void thin(std::vector<T>& choices, std::uint64_t count) {
    while (choices.size() > count) {
      choices[random_.below(choices.size())] = choices.back();
      choices.pop_back();
    }
  }

  const World& world_;
  const DamagePlan& plan_;
  testing::Random& random_;
  std::map<std::string, std::string> contents_;
  std::vector<Damage> damages_;
};

void truncate(os::SimulatedDisk& disk, const std::string& path, std::uint64_t bytes) {
  const os::Disk::Handle handle = disk.open(path, os::OpenMode::kReadWrite);
  ASHLAR_ASSERT(handle >= 0, "a file that is damaged is there");
  disk.truncate(handle, bytes);
  disk.close(handle);
}

}  // namespace

std::vector<Damage> damages_of(const World& world, const DamagePlan& plan,
                               testing::Random& random) {
  return Collector(world, plan, random).collect();
}

void inflict(const Damage& damage, const World& world, os::SimulatedDisk& disk) {
  const std::string& path = damage.path;
  if (damage.kind == DamageKind::kRemove) {
    disk.remove(path);
    return;
  }
  if (damage.kind == DamageKind::kTruncate) return truncate(disk, path, damage.offset);
  if (damage.kind == DamageKind::kOldCopy) {
    const std::string& old = world.history.at(path).at(damage.version);
    truncate(disk, path, old.size());
    return disk.overwrite(path, 0, old);
  }
  const std::string content = disk.read_all(path);
  std::string bytes = block_at(content, damage.offset);
  if (damage.kind == DamageKind::kBit) {
    bytes.resize(1);
    bytes[0] = static_cast<char>(static_cast<unsigned char>(bytes[0]) ^ (1U << damage.bit));
  } else if (damage.kind == DamageKind::kZeroBlock) {
    std::ranges::fill(bytes, '\0');
  } else if (damage.kind == DamageKind::kStaleBlock) {
    const std::string old = block_at(world.history.at(path).at(damage.version), damage.offset);
    bytes = old.substr(0, bytes.size());
  } else {
    const std::string other = block_at(disk.read_all(damage.other_path), damage.other_offset);
    disk.overwrite(damage.other_path, damage.other_offset, bytes);
    bytes = other;
  }
  disk.overwrite(path, damage.offset, bytes);
}

std::string describe(const Damage& damage) {
  std::string text = std::string(name_of(damage.kind)) + " " + damage.path + " at " +
                     std::to_string(damage.offset);
  if (damage.kind == DamageKind::kBit) text += " bit " + std::to_string(damage.bit);
  if (damage.kind == DamageKind::kSwapBlocks) {
    text += " with " + damage.other_path + " at " + std::to_string(damage.other_offset);
  }
  const bool is_of_earlier =
      damage.kind == DamageKind::kStaleBlock || damage.kind == DamageKind::kOldCopy;
  if (is_of_earlier) text += ", version " + std::to_string(damage.version);
  return text;
}

}  // namespace ashlar::crash
