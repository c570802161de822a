#include "db/inspection/repair_steps.h"

#include <cstdio>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "db/checkpoint_store.h"
#include "db/directory.h"
#include "db/format_file.h"
#include "db/inspection/inspect.h"
#include "log/segment.h"
#include "lsm/manifest_store.h"
#include "lsm/table_store.h"

namespace ashlar::db {
namespace {

constexpr std::string_view kReplace = "replace ";
constexpr std::string_view kRemove = "remove ";
constexpr std::string_view kChecksum = "checksum ";

std::string checksum_line(std::string_view text) {
  char digits[20];
  const auto checksum = static_cast<unsigned long long>(base::hash_key(text, 0));
  std::snprintf(digits, sizeof(digits), "%016llx\n", checksum);
  return std::string(kChecksum) + digits;
}

/// Takes `prefix` from the front of `text`.
bool take_prefix(std::string_view& text, std::string_view prefix) noexcept {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// The folder of `name`, which is "FOLDER/FILE".
std::string_view folder_of(std::string_view name) noexcept {
  return name.substr(0, name.find('/'));
}

/// Whether a repair may touch `name`: nothing outside of the directory, nothing that is not ours.
bool is_ours(std::string_view name, Engine engine) {
  if (take_prefix(name, "log/")) return name == "ring" || log::segment_number(name).has_value();
  if (engine == Engine::kMemory) {
    return take_prefix(name, "checkpoint/") && checkpoint_number(name).has_value();
  }
  return take_prefix(name, "tables/") &&
         (lsm::manifest_number(name).has_value() || lsm::table_number(name).has_value());
}

std::optional<RepairStep> decode_step(std::string_view line, Engine engine) {
  RepairStep step;
  if (take_prefix(line, kRemove)) {
    step.kind = RepairStep::Kind::kRemove;
  } else if (!take_prefix(line, kReplace)) {
    return std::nullopt;
  }
  if (!is_ours(line, engine)) return std::nullopt;
  step.name = line;
  return step;
}

/// Whether there is such a file.
Result<bool> is_there(os::Disk& disk, const std::string& path) {
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, path, os::OpenMode::kRead));
  return file != nullptr;
}

}  // namespace

std::string words_of(const RepairStep& step) {
  const bool is_remove = step.kind == RepairStep::Kind::kRemove;
  return std::string(is_remove ? kRemove : kReplace) + step.name;
}

std::string encode_repair_steps(const RepairSteps& steps) {
  std::string text(repair_text(steps.engine));
  for (const RepairStep& step : steps.list) {
    ASHLAR_ASSERT(is_ours(step.name, steps.engine), "a repair touches what is ours");
    text.append(words_of(step)).append("\n");
  }
  return text.append(checksum_line(text));
}

std::optional<RepairSteps> decode_repair_steps(std::string_view text) {
  const std::size_t at = text.rfind(kChecksum);
  if (at == std::string_view::npos || text.substr(at) != checksum_line(text.substr(0, at))) {
    return std::nullopt;
  }
  text = text.substr(0, at);
  RepairSteps steps;
  if (take_prefix(text, repair_text(Engine::kDisk))) {
    steps.engine = Engine::kDisk;
  } else if (!take_prefix(text, repair_text(Engine::kMemory))) {
    return std::nullopt;
  }
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    std::optional<RepairStep> step = decode_step(text.substr(0, end), steps.engine);
    if (!step) return std::nullopt;
    steps.list.push_back(std::move(*step));
    text.remove_prefix(end + 1);
  }
  return steps;
}

Result<void> run_repair_steps(os::Disk& disk, const std::string& directory,
                              const RepairSteps& steps) {
  std::set<std::string_view> touched;
  for (const RepairStep& step : steps.list) {
    ASHLAR_ASSERT(is_ours(step.name, steps.engine), "a repair touches what is ours");
    const std::string path = directory + "/" + step.name;
    touched.insert(folder_of(step.name));
    if (step.kind == RepairStep::Kind::kRemove) {
      ASHLAR_TRY(os::remove_file(disk, path));
      continue;
    }
    // Gone when the step was taken before (I5).
    const std::string repaired = path + std::string(kRepairedSuffix);
    ASHLAR_TRY_ASSIGN(const bool is_waiting, is_there(disk, repaired));
    if (is_waiting) ASHLAR_TRY(os::rename_file(disk, repaired, path));
  }
  for (const std::string_view folder : touched) {
    ASHLAR_TRY(os::sync_directory(disk, directory + "/" + std::string(folder)));
  }
  return write_format(disk, directory, format_text(steps.engine));
}

}  // namespace ashlar::db
