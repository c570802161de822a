#include "db/inspection/value_survey.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "db/inspection/inspect.h"
#include "db/values/value_store.h"
#include "engine/value_reference.h"
#include "lsm/values/collected_file.h"

namespace ashlar::db {
namespace {

/// A file with values, by the position at which it begins.
struct ValueFile {
  std::unique_ptr<os::File> file;
  log::Position end = 0;
  std::uint64_t header_bytes = 0;  ///< In front of the byte at the first position.
};

/// One look.
class Surveyor {
 public:
  Surveyor(os::Disk& disk, const Directory& directory, const LogSurvey& log,
           DirectoryReport& report) noexcept
      : disk_(disk), directory_(directory), log_(log), report_(report) {}

  Result<void> operator()(const TableSurvey& tables) {
    ASHLAR_TRY(find_pieces());
    ASHLAR_TRY(find_collected());
    for (const SurveyedTable& table : tables.tables) {
      for (const engine::ValueReference& value : table.references) {
        ASHLAR_TRY(prove(value, table.path));
      }
      for (const table::ValueShare& share : table.shares) {
        if (!files_.contains(share.first)) continue;
        figures_.live_bytes += share.bytes;
        referred_.insert_or_assign(share.first, true);
      }
    }
    ASHLAR_TRY(check_headers(tables));
    for (const auto& [first, file] : files_) {
      if (referred_.contains(first)) continue;
      report_.remarks.push_back({.path = file.file->path(),
                                 .what = "nothing refers to it: normal, it is removed in time"});
    }
    report_.checked_bytes += figures_.file_bytes;
    if (figures_.file_count > 0) report_.values = figures_;
    return {};
  }

 private:
  Result<std::vector<std::string>> names_in(const std::string& path) {
    std::vector<std::string> names;
    if (disk_.list(path, names) == -ENOENT) return std::vector<std::string>();
    return os::list_directory(disk_, path);
  }

  void remark(const std::string& path, const char* what) {
    report_.remarks.push_back({.path = path, .what = what});
  }

  Result<void> find_pieces() {
    ASHLAR_TRY_ASSIGN(const auto names, names_in(directory_.value_path()));
    for (const std::string& name : names) {
      const std::string path = directory_.value_path() + "/" + name;
      const auto first = kept_piece_first(name);
      if (!first) {
        remark(path, "does not belong here");
        continue;
      }
      ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk_, path, os::OpenMode::kRead));
      if (file == nullptr) continue;
      std::string block(os::kBlockBytes, '\0');
      ASHLAR_TRY_ASSIGN(const std::size_t got, file->read_some(0, block));
      const auto header = log::decode_segment_header(std::string_view(block).substr(0, got));
      if (!header || header->first != *first) {
        report_.damages.push_back({.path = path, .offset = 0, .what = "the header is damaged"});
        continue;
      }
      ASHLAR_TRY(add(*first, std::move(file), header->end(), os::kBlockBytes));
    }
    return {};
  }

  Result<void> find_collected() {
    ASHLAR_TRY_ASSIGN(const auto names, names_in(directory_.table_path()));
    for (const std::string& name : names) {
      const auto number = lsm::collected_number(name);
      if (!number || *number > lsm::kCollectedNumberMax) continue;
      const std::string path = directory_.table_path() + "/" + name;
      ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk_, path, os::OpenMode::kRead));
      if (file == nullptr) continue;
      ASHLAR_TRY_ASSIGN(const std::uint64_t bytes, file->size());
      const log::Position first = lsm::collected_position(*number, 0);
      ASHLAR_TRY(add(first, std::move(file), first + bytes, 0));
    }
    return {};
  }

  /// An opening refuses a collected file that is needed and has a damaged header.
  Result<void> check_headers(const TableSurvey& tables) {
    for (const auto& [first, is_needed] : referred_) {
      if (!lsm::is_collected(first)) continue;
      const std::string& path = files_.at(first).file->path();
      const auto opened =
          lsm::CollectedFile::open(disk_, path,
                                   {.database_id = tables.basis->content->database_id,
                                    .number = lsm::collected_number_of(first)});
      if (opened) continue;
      if (opened.error().code() == ErrorCode::kIo) return std::unexpected(opened.error());
      report_.damages.push_back(damage_of(opened.error(), path));
    }
    return {};
  }

  Result<void> add(log::Position first, std::unique_ptr<os::File> file, log::Position end,
                   std::uint64_t header_bytes) {
    ASHLAR_TRY_ASSIGN(const std::uint64_t bytes, file->size());
    ++figures_.file_count;
    figures_.file_bytes += bytes;
    files_[first] = {.file = std::move(file), .end = end, .header_bytes = header_bytes};
    return {};
  }

  /// Reads the value, and tells when it is not what it was (I14).
  Result<void> prove(const engine::ValueReference& value, const std::string& table) {
    std::string bytes(value.bytes, '\0');
    std::optional<Damage> damage;
    for (std::size_t done = 0; done < bytes.size() && !damage;) {
      ASHLAR_TRY_ASSIGN(const std::size_t got,
                        read_some(value.position + done, std::span(bytes).subspan(done)));
      if (got == 0) damage = damage_at(value.position + done, "the file ends, or is missing");
      done += got;
    }
    const std::uint64_t hash = engine::value_hash(bytes);
    const bool is_good = engine::value_checksum(hash, value.position) == value.checksum;
    if (!damage && !is_good) damage = damage_at(value.position, "the value is damaged");
    if (!damage) return {};
    damage->what += ", and " + table + " refers to it";
    report_.damages.push_back(*std::move(damage));
    return {};
  }

  const std::pair<const log::Position, ValueFile>* find(log::Position position) const {
    const auto behind = files_.upper_bound(position);
    if (behind == files_.begin()) return nullptr;
    const auto& found = *std::prev(behind);
    return position < found.second.end ? &found : nullptr;
  }

  /// Returns: how many of the bytes from `position` on one file has; 0: none does
  Result<std::size_t> read_some(log::Position position, std::span<char> to) {
    if (const auto* const found = find(position)) {
      const auto& [first, file] = *found;
      to = to.first(std::min<std::uint64_t>(to.size(), file.end - position));
      return file.file->read_some(file.header_bytes + (position - first), to);
    }
    if (const auto run = log_.find_run(position)) {
      const log::SegmentSet& segments = log_.runs()[*run];
      if (position >= segments.end()) return std::size_t{0};
      Result<std::size_t> got = segments.read(position, to);
      const bool is_short = !got && got.error().code() == ErrorCode::kCorruption;
      return is_short ? Result<std::size_t>(0) : std::move(got);
    }
    return std::size_t{0};
  }

  Damage damage_at(log::Position position, std::string what) const {
    if (const auto* const found = find(position)) {
      return {.path = found->second.file->path(),
              .offset = found->second.header_bytes + (position - found->first),
              .what = std::move(what)};
    }
    if (const auto run = log_.find_run(position)) {
      if (const auto place = log_.runs()[*run].find_place(position)) {
        return {.path = place->path, .offset = place->offset, .what = std::move(what)};
      }
    }
    return {.path = directory_.value_path(),
            .offset = 0,
            .what = "position " + std::to_string(position) + ": " + what};
  }

  os::Disk& disk_;
  const Directory& directory_;
  const LogSurvey& log_;
  DirectoryReport& report_;
  ValueFigures figures_;
  std::map<log::Position, ValueFile> files_;
  std::map<log::Position, bool> referred_;
};

}  // namespace

Result<void> survey_values(os::Disk& disk, const Directory& directory, const TableSurvey& tables,
                           const LogSurvey& log, DirectoryReport& report) {
  ASHLAR_ASSERT(report.engine == Engine::kDisk, "values stand apart on the disk engine only");
  return Surveyor(disk, directory, log, report)(tables);
}

}  // namespace ashlar::db
