#include "db/changes/segment_trail.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <ranges>
#include <utility>

#include "base/assert.h"
#include "os/file.h"

namespace ashlar::db {
namespace {

/// Returns: nullopt when there is no such file, or not with the header that goes with its name
Result<std::optional<log::FoundSegment>> open_in(os::Disk& disk, const std::string& folder,
                                                 std::uint64_t number) {
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, folder + "/" + log::segment_name(number),
                                              os::OpenMode::kRead));
  if (file == nullptr) return std::nullopt;
  std::string block(os::kBlockBytes, '\0');
  ASHLAR_TRY_ASSIGN(const std::size_t got, file->read_some(0, block));
  const auto header = log::decode_segment_header(std::string_view(block).substr(0, got));
  if (!header || header->number != number) return std::nullopt;
  return log::FoundSegment{.header = *header, .file = std::move(file)};
}

}  // namespace

SegmentTrail::SegmentTrail(os::Disk& disk, std::vector<std::string> folders)
    : disk_(disk), folders_(std::move(folders)) {
  ASHLAR_ASSERT(!folders_.empty(), "segments are looked for somewhere");
}

Result<void> SegmentTrail::refresh() {
  std::vector<std::uint64_t> found;
  for (const std::string& folder : std::views::reverse(folders_)) {
    std::vector<std::string> names;
    if (disk_.list(folder, names) == -ENOENT) continue;
    ASHLAR_TRY_ASSIGN(names, os::list_directory(disk_, folder));
    for (const std::string& name : names) {
      if (const auto number = log::segment_number(name)) found.push_back(*number);
    }
  }
  std::ranges::sort(found);
  const auto repeated = std::ranges::unique(found);
  found.erase(repeated.begin(), repeated.end());
  std::size_t first = found.empty() ? 0 : found.size() - 1;
  while (first > 0 && found[first - 1] + 1 == found[first]) --first;
  numbers_.assign(found.begin() + static_cast<std::ptrdiff_t>(first), found.end());
  return {};
}

Result<log::SegmentSet> SegmentTrail::open_from(std::uint64_t number, std::size_t count_max) const {
  ASHLAR_ASSERT(count_max > 0 && count_max <= kOpenMax, "a few segments are open at once");
  log::SegmentSet set;
  while (set.segments().size() < count_max) {
    std::optional<log::FoundSegment> found;
    for (const std::string& folder : std::views::reverse(folders_)) {
      if (found) break;
      ASHLAR_TRY_ASSIGN(found, open_in(disk_, folder, number + set.segments().size()));
    }
    if (!found) break;
    const bool follows =
        set.empty() || (found->header.first == set.end() &&
                        found->header.log_id == set.segments().front().header.log_id);
    if (!follows) break;
    set.add(std::move(*found));
  }
  return set;
}

}  // namespace ashlar::db
