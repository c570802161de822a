#include "db/inspection/table_survey.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "db/inspection/inspect.h"
#include "db/inspection/manifest_mend.h"
#include "lsm/manifest_store.h"
#include "lsm/open_table.h"
#include "lsm/table_store.h"
#include "lsm/values/collected_file.h"
#include "table/block.h"
#include "table/block_layout.h"

namespace ashlar::db {
namespace {

// So much of a key is shown.
constexpr std::size_t kShownKeyBytesMax = 64;

/// One look at one table.
class TableInspector {
 public:
  TableInspector(os::Disk& disk, const lsm::Manifest& manifest, SurveyedTable& result) noexcept
      : disk_(disk), identity_(identity_of(manifest, result.entry.table.number)), result_(result) {}

  Result<void> operator()() {
    ASHLAR_TRY(open());
    if (file_ == nullptr) {
      result_.lost_keys.push_back({.from = told().smallest, .to = told().largest});
      result_.lost_row_count = told().row_count;
      return {};
    }
    result_.is_readable = true;
    result_.block_count = file_->block_count();
    result_.shares = file_->properties().shares;
    if (const char* const what = lsm::find_difference(told(), file_->properties())) {
      damage(0, std::string("the manifest tells differently of ") + what);
    }
    for (std::size_t block = 0; block < file_->block_count(); ++block) {
      ASHLAR_TRY(look_at_block(block));
    }
    judge_figures();
    return {};
  }

 private:
  const lsm::TableInfo& told() const noexcept { return result_.entry.table; }
  void damage(std::uint64_t offset, std::string what) {
    result_.damages.push_back({.path = result_.path, .offset = offset, .what = std::move(what)});
  }

  /// Opens the file, without its filter when that is what is damaged, or finds that nothing can.
  Result<void> open() {
    ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk_, result_.path, os::OpenMode::kRead));
    result_.is_there = file != nullptr;
    if (file != nullptr) {
      ASHLAR_TRY_ASSIGN(result_.checked_bytes, file->size());
    }
    for (const auto use : {table::FilterUse::kLoad, table::FilterUse::kIgnore}) {
      auto opened = table::TableFile::open(disk_, result_.path, identity_, use);
      if (opened) {
        file_ = std::move(*opened);
        return {};
      }
      if (opened.error().code() != ErrorCode::kCorruption) {
        return std::unexpected(opened.error());
      }
      if (use == table::FilterUse::kLoad) {
        result_.damages.push_back(damage_of(opened.error(), result_.path));
      }
    }
    return {};
  }

  Result<void> look_at_block(std::size_t block) {
    raw_.resize(file_->raw_bytes(block));
    const Result<void> loaded = file_->load_block(block, raw_);
    if (!loaded && loaded.error().code() != ErrorCode::kCorruption) return loaded;
    if (!loaded) {
      result_.damages.push_back(damage_of(loaded.error(), result_.path));
      lose_block(block);
      return {};
    }
    const table::Block rows(raw_);
    rows.begin_keys(key_buffer_);
    bool finds_all = true;
    for (std::uint32_t row = 0; row < rows.row_count(); ++row) {
      finds_all = count_row(rows, row) && finds_all;
    }
    if (!finds_all) {
      damage(file_->offset(block),
             "block " + std::to_string(block) + " has rows that a reader would not find");
    }
    return {};
  }

  void lose_block(std::size_t block) {
    const bool is_last = block + 1 == file_->block_count();
    result_.lost_blocks.push_back(block);
    KeyRange range{.from = file_->separator(block),
                   .to = is_last ? told().largest : file_->separator(block + 1),
                   .has_to = is_last};
    // Blocks that follow each other are one range.
    if (!result_.lost_keys.empty() && result_.lost_keys.back().to == range.from) {
      range.from = std::move(result_.lost_keys.back().from);
      result_.lost_keys.pop_back();
    }
    result_.lost_keys.push_back(std::move(range));
  }

  /// Returns: whether a reader would find it (I10)
  bool count_row(const table::Block& rows, std::uint32_t row) {
    ++counted_.row_count;
    if (rows.kind(row) == engine::OperationKind::kErase) ++counted_.erase_count;
    if (rows.kind(row) == engine::OperationKind::kPutApart) {
      if (const auto value = engine::decode_value_reference(rows.value(row))) {
        result_.references.push_back(*value);
      }
    }
    if (rows.deadline_ms(row) != engine::kNever) ++counted_.expiring_count;
    counted_.earliest_deadline_ms = std::min(counted_.earliest_deadline_ms, rows.deadline_ms(row));
    const std::string_view key = rows.key(row, key_buffer_);
    const std::uint64_t hash = base::hash_key(key, identity_.hash_seed);
    return file_->may_contain(hash) && rows.find(key, table::tag_of(hash)) == row;
  }

  /// Holds what was counted against what the table tells of itself.
  void judge_figures() {
    const table::TableProperties& properties = file_->properties();
    if (!result_.lost_blocks.empty()) {
      // Of the rows that the manifest tells of: table and manifest may differ.
      const std::uint64_t read = std::min(counted_.row_count, told().row_count);
      result_.lost_row_count = told().row_count - read;
      return;
    }
    const auto compare = [&](const char* what, auto told, auto found) {
      if (told == found) return;
      damage(0, std::string("tells of ") + std::to_string(told) + " " + what + " and has " +
                    std::to_string(found));
    };
    compare("rows", properties.row_count, counted_.row_count);
    compare("erases", properties.erase_count, counted_.erase_count);
    compare("rows with a deadline", properties.expiring_count, counted_.expiring_count);
    compare("as its first deadline", properties.earliest_deadline_ms,
            counted_.earliest_deadline_ms);
  }

  os::Disk& disk_;
  const table::TableIdentity identity_;
  SurveyedTable& result_;
  std::unique_ptr<table::TableFile> file_;
  table::TableProperties counted_;
  std::string raw_;
  std::string key_buffer_;
};

/// One look at the folder.
class FolderInspector {
 public:
  FolderInspector(os::Disk& disk, const std::string& folder, DirectoryReport& report) noexcept
      : disk_(disk), folder_(folder), report_(report) {}

  Result<TableSurvey> operator()() {
    std::vector<std::string> names;
    if (disk_.list(folder_, names) == -ENOENT) return TableSurvey();
    ASHLAR_TRY_ASSIGN(names, os::list_directory(disk_, folder_));
    std::ranges::reverse(names);
    for (const std::string& name : names) {
      if (const auto number = lsm::manifest_number(name)) {
        ASHLAR_TRY(look_at_manifest(*number, path_of(name)));
      }
    }
    std::ranges::sort(result_.manifests, std::greater(), &FoundManifest::number);
    judge_manifests();
    for (const FoundManifest& found : result_.manifests) {
      ASHLAR_TRY(try_basis(found));
      if (result_.basis != nullptr) break;
    }
    for (const std::string& name : names) look_at_name(name);
    if (result_.newest() == nullptr && !result_.strangers.empty()) {
      report_.damages.push_back({.path = folder_,
                                 .offset = 0,
                                 .what = "the manifest is missing, which would tell what the " +
                                         std::to_string(result_.strangers.size()) +
                                         " tables stand for"});
    }
    fill_in();
    return std::move(result_);
  }

 private:
  std::string path_of(const std::string& name) const { return folder_ + "/" + name; }

  Result<void> look_at_manifest(std::uint64_t number, const std::string& path) {
    FoundManifest found{.number = number, .path = path};
    ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk_, path, os::OpenMode::kRead));
    if (file != nullptr) {
      ASHLAR_TRY_ASSIGN(found.file_bytes, file->size());
    }
    report_.checked_bytes += found.file_bytes;
    auto content = lsm::read_manifest(disk_, path);
    if (content) {
      found.content = std::move(*content);
    } else if (content.error().code() == ErrorCode::kCorruption) {
      found.damage = damage_of(content.error(), path);
      ASHLAR_TRY_ASSIGN(found.content, mend_manifest(disk_, path));
    } else {
      return std::unexpected(content.error());
    }
    result_.manifests.push_back(std::move(found));
    return {};
  }

  void judge_manifests() {
    for (const FoundManifest& found : result_.manifests) {
      if (&found != result_.newest()) {
        report_.remarks.push_back({.path = found.path, .what = "is older than the newest"});
      } else if (found.damage) {
        report_.damages.push_back(*found.damage);
      }
    }
  }

  /// Takes `found` and its tables for what counts, if it may be (I11).
  Result<void> try_basis(const FoundManifest& found) {
    if (!found.content) return {};
    const bool is_newest = &found == result_.newest();
    std::vector<SurveyedTable> tables;
    for (const lsm::Manifest::Entry& entry : found.content->tables) {
      ASHLAR_TRY_ASSIGN(SurveyedTable table, survey_table(disk_, folder_, *found.content, entry));
      if (!is_newest && !table.is_sound()) return {};
      report_.checked_bytes += table.checked_bytes;
      report_.damages.insert(report_.damages.end(), table.damages.begin(), table.damages.end());
      tables.push_back(std::move(table));
    }
    result_.basis = &found;
    result_.tables = std::move(tables);
    for (const SurveyedTable& table : result_.tables) named_.insert(table.entry.table.number);
    return {};
  }

  void look_at_name(const std::string& name) {
    const auto remark = [&](const char* what) {
      report_.remarks.push_back({.path = path_of(name), .what = what});
    };
    if (lsm::manifest_number(name)) return;
    if (const auto number = lsm::table_number(name)) {
      if (named_.contains(*number)) return;
      result_.strangers.push_back(name);
      if (result_.has_newest())
        remark("is named by no manifest: normal, the next opening removes it");
    } else if (lsm::collected_number(name)) {
      return;  // survey_values tells of those.
    } else if (name == lsm::kUnfinishedManifest) {
      remark("was being written when the machine stopped: normal");
    } else if (name.ends_with(kRepairedSuffix)) {
      remark("is of a repair that was stopped: nothing needs it");
    } else {
      remark("does not belong here");
    }
  }

  void fill_in() {
    if (!result_.has_newest()) return;
    const lsm::Manifest& manifest = *result_.basis->content;
    TableFigures figures{.manifest_number = result_.basis->number,
                         .manifest_bytes = result_.basis->file_bytes,
                         .next_file_number = manifest.next_file_number,
                         .last_sequence = manifest.last_sequence,
                         .origin = manifest.log_place.position,
                         .stranger_count = result_.strangers.size()};
    for (const SurveyedTable& table : result_.tables) {
      ASHLAR_ASSERT(table.entry.level < lsm::kLevelCount, "a manifest knows levels that there are");
      LevelFigures& level = figures.levels[table.entry.level];
      ++level.table_count;
      level.file_bytes += table.entry.table.file_bytes;
      level.row_count += table.entry.table.row_count;
      level.erase_count += table.entry.table.erase_count;
      if (table.is_sound()) ++figures.sound_table_count;
    }
    report_.tables = figures;
  }

  os::Disk& disk_;
  const std::string& folder_;
  DirectoryReport& report_;
  TableSurvey result_;
  std::set<std::uint64_t> named_;
};

}  // namespace

Damage damage_of(const Error& error, const std::string& path) {
  std::string_view text = error.message();
  Damage damage{.path = path, .offset = 0, .what = std::string(text)};
  const std::string begin = path + " at ";
  if (!text.starts_with(begin)) return damage;
  text.remove_prefix(begin.size());
  std::uint64_t offset = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), offset);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (failure != std::errc() || !text.starts_with(": ")) return damage;
  damage.offset = offset;
  damage.what = text.substr(2);
  return damage;
}

log::Start start_of(const lsm::Manifest& manifest) noexcept {
  const engine::LogPlace& place = manifest.log_place;
  return {.position = place.position, .chain = place.chain, .commit = place.commit};
}

table::TableIdentity identity_of(const lsm::Manifest& manifest, std::uint64_t number) noexcept {
  return {.database_id = manifest.database_id, .number = number, .hash_seed = manifest.hash_seed};
}

Result<SurveyedTable> survey_table(os::Disk& disk, const std::string& folder,
                                   const lsm::Manifest& manifest,
                                   const lsm::Manifest::Entry& entry) {
  SurveyedTable table{.entry = entry, .path = folder + "/" + lsm::table_name(entry.table.number)};
  ASHLAR_TRY(TableInspector(disk, manifest, table)());
  ASHLAR_ASSERT(table.is_readable || !table.is_sound(), "what cannot be read is not sound");
  return table;
}

Result<TableSurvey> survey_tables(os::Disk& disk, const std::string& folder,
                                  DirectoryReport& report) {
  return FolderInspector(disk, folder, report)();
}

std::string text_of_key(std::string_view key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const bool is_cut = key.size() > kShownKeyBytesMax;
  std::string text = "\"";
  for (const char c : key.substr(0, kShownKeyBytesMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text.append({'\\', c});
    } else if (byte >= 0x20 && byte < 0x7f) {
      text.push_back(c);
    } else {
      text.append({'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]});
    }
  }
  return text.append(is_cut ? "\"... (" + std::to_string(key.size()) + " bytes)" : "\"");
}

std::string text_of(const KeyRange& range) {
  return "from " + text_of_key(range.from) + (range.has_to ? " to " : " up to before ") +
         text_of_key(range.to);
}

}  // namespace ashlar::db
