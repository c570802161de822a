#include <ctime>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "db/inspection/inspect.h"

namespace ashlar::cli {
namespace {

/// "2026-03-01T12:00:00.123Z"; empty for no moment at all.
std::string text_of_moment(std::int64_t moment_ms) {
  if (moment_ms <= 0) return {};
  const auto seconds = static_cast<std::time_t>(moment_ms / 1000);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return {};
  char text[64];
  const std::size_t bytes = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string fraction = std::to_string(1000 + moment_ms % 1000);
  fraction.front() = '.';
  return std::string(text, bytes) + fraction + "Z";
}

nlohmann::ordered_json json_of(const db::TableFigures& tables) {
  nlohmann::ordered_json levels = nlohmann::ordered_json::array();
  for (std::size_t level = 0; level < tables.levels.size(); ++level) {
    const db::LevelFigures& figures = tables.levels[level];
    levels.push_back({{"level", level},
                      {"tables", figures.table_count},
                      {"file_bytes", figures.file_bytes},
                      {"rows", figures.row_count},
                      {"erases", figures.erase_count}});
  }
  return {{"manifest", tables.manifest_number},
          {"manifest_bytes", tables.manifest_bytes},
          {"next_file_number", tables.next_file_number},
          {"last_sequence", tables.last_sequence},
          {"log_position", tables.origin},
          {"sound_tables", tables.sound_table_count},
          {"unnamed_tables", tables.stranger_count},
          {"levels", std::move(levels)}};
}

nlohmann::ordered_json json_of(const db::DirectoryReport& report) {
  nlohmann::ordered_json json;
  json["directory"] = report.path;
  json["format"] = report.format;
  json["engine"] = report.engine == Engine::kDisk ? "disk" : "memory";
  json["damage_count"] = report.damages.size();
  if (report.engine == Engine::kDisk) {
    json["tables"] = report.tables ? json_of(*report.tables) : nlohmann::ordered_json();
    if (report.values) {
      json["values"] = {{"files", report.values->file_count},
                        {"file_bytes", report.values->file_bytes},
                        {"live_bytes", report.values->live_bytes}};
    }
  } else if (report.checkpoint) {
    json["checkpoint"] = {{"number", report.checkpoint->number},
                          {"rows", report.checkpoint->row_count},
                          {"file_bytes", report.checkpoint->file_bytes},
                          {"origin", report.checkpoint->origin},
                          {"end", report.checkpoint->end},
                          {"begun_ms", report.checkpoint->moment_ms}};
  } else {
    json["checkpoint"] = nullptr;
  }
  if (report.history) {
    json["history"] = {{"segments", report.history->segment_count},
                       {"file_bytes", report.history->file_bytes},
                       {"oldest_commit", report.history->oldest_commit}};
  }
  const db::LogFigures& log = report.log;
  json["log"] = {{"segments", log.segment_count},
                 {"first_segment", log.first_segment},
                 {"last_segment", log.last_segment},
                 {"segment_file_bytes", log.segment_file_bytes},
                 {"ring_bytes", log.ring_bytes},
                 {"first_position", log.first},
                 {"end_position", log.end},
                 {"bytes_behind_checkpoint", log.end - log.begin},
                 {"frames_behind_checkpoint", log.frame_count},
                 {"last_commit", log.commit},
                 {"newest_commit_ms", log.moment_ms},
                 {"torn_bytes", log.torn_bytes},
                 {"was_closed", log.is_closed}};
  json["file_bytes"] = report.checked_bytes;
  return json;
}

std::string line_of(std::string name, const std::string& what) {
  constexpr std::size_t kColumn = 14;
  name.resize(std::max(kColumn, name.size() + 1), ' ');
  return name + what + "\n";
}

std::string text_of(const db::LevelFigures& figures) {
  return std::to_string(figures.table_count) + " tables, " + std::to_string(figures.file_bytes) +
         " bytes, " + std::to_string(figures.row_count) + " rows, " +
         std::to_string(figures.erase_count) + " of them erases";
}

std::string text_of(const db::TableFigures& tables) {
  std::string text =
      line_of("manifest", "number " + std::to_string(tables.manifest_number) + ", " +
                              std::to_string(tables.manifest_bytes) + " bytes, up to position " +
                              std::to_string(tables.origin) + " and sequence " +
                              std::to_string(tables.last_sequence) + ", next file " +
                              std::to_string(tables.next_file_number));
  text += line_of("tables", text_of(tables.total()));
  for (std::size_t level = 0; level < tables.levels.size(); ++level) {
    if (tables.levels[level].table_count == 0) continue;
    text += line_of("", "level " + std::to_string(level) + ": " + text_of(tables.levels[level]));
  }
  if (tables.stranger_count > 0) {
    text += line_of("", std::to_string(tables.stranger_count) + " more that nothing needs");
  }
  return text;
}

std::string text_of_checkpoint(const db::DirectoryReport& report) {
  std::string checkpoint = "none";
  if (report.checkpoint) {
    const db::CheckpointFigures& figures = *report.checkpoint;
    checkpoint = "number " + std::to_string(figures.number) + ", " +
                 std::to_string(figures.row_count) + " rows, " +
                 std::to_string(figures.file_bytes) + " bytes, from position " +
                 std::to_string(figures.origin) + ", begun " + text_of_moment(figures.moment_ms);
  }
  return line_of("checkpoint", checkpoint);
}

std::string text_of(const db::DirectoryReport& report) {
  const bool has_tables = report.engine == Engine::kDisk;
  std::string text = line_of("directory", report.path) + line_of("format", report.format);
  text += line_of("engine", has_tables ? "disk" : "memory");
  if (!has_tables) text += text_of_checkpoint(report);
  if (has_tables) text += report.tables ? text_of(*report.tables) : line_of("manifest", "none");
  if (report.history) {
    text +=
        line_of("history", std::to_string(report.history->segment_count) + " segments, " +
                               std::to_string(report.history->file_bytes) + " bytes, from commit " +
                               std::to_string(report.history->oldest_commit) + " on");
  }
  if (report.values) {
    text += line_of("values", std::to_string(report.values->file_count) + " files, " +
                                  std::to_string(report.values->file_bytes) + " bytes, " +
                                  std::to_string(report.values->live_bytes) + " of them needed");
  }
  const std::string base = has_tables ? "the tables" : "the checkpoint";
  const db::LogFigures& log = report.log;
  text += line_of("log", std::to_string(log.segment_count) + " segments, numbers " +
                             std::to_string(log.first_segment) + " to " +
                             std::to_string(log.last_segment) + ", " +
                             std::to_string(log.segment_file_bytes) + " bytes");
  text += line_of("", "positions " + std::to_string(log.first) + " to " + std::to_string(log.end) +
                          ", up to commit " + std::to_string(log.commit));
  text += line_of("", std::to_string(log.end - log.begin) + " bytes and " +
                          std::to_string(log.frame_count) + " frames behind " + base);
  text += line_of("ring", std::to_string(log.ring_bytes) + " bytes");
  text += line_of("end", log.is_closed ? "closed in order"
                                       : "not closed, " + std::to_string(log.torn_bytes) +
                                             " torn bytes behind it");
  const std::string newest = text_of_moment(log.moment_ms);
  text += line_of("newest", newest.empty() ? "no commit behind " + base : "about " + newest);
  text += line_of("files", std::to_string(report.checked_bytes) + " bytes");
  if (!report.is_sound()) {
    text += line_of("damage", std::to_string(report.damages.size()) + "; see `ashlar check " +
                                  report.path + "`");
  }
  return text;
}

}  // namespace

ExitStatus run_info(os::Disk& disk, const std::string& directory, InfoForm form,
                    const Streams& streams) {
  const auto held = db::Directory::open_as_is(disk, directory);
  if (!held) return streams.fail(held.error());
  const auto inspection = db::inspect(disk, **held);
  if (!inspection) return streams.fail(inspection.error());
  const db::DirectoryReport& report = inspection->report;
  if (form == InfoForm::kText) {
    streams.print(text_of(report));
    return kGood;
  }
  // A path may be any bytes, JSON is text.
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  streams.print(json_of(report).dump(2, ' ', false, kReplace) + "\n");
  return kGood;
}

}  // namespace ashlar::cli
