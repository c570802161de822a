// What a directory tells of its past, out of the files of its log alone: nothing is locked, so the
// database may be open elsewhere, and is then followed.

#include <chrono>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "ashlar/changes.h"
#include "cli/commands.h"
#include "cli/quoted.h"
#include "db/changes/commit_changes.h"
#include "db/changes/commit_reader.h"
#include "db/directory.h"

namespace ashlar::cli {
namespace {

constexpr auto kPause = std::chrono::milliseconds(20);

const char* name_of(ChangeKind kind) noexcept {
  switch (kind) {
    case ChangeKind::kPut:
      return "put";
    case ChangeKind::kErase:
      return "erase";
    case ChangeKind::kExpired:
      return "expired";
    case ChangeKind::kEvicted:
      return "evicted";
    case ChangeKind::kExpire:
      break;
  }
  return "expire";
}

std::string text_of(const CommitChanges& commit) {
  std::string text;
  for (const Change& change : commit.changes) {
    text += std::to_string(commit.sequence) + " " + name_of(change.kind) + " ";
    append_quoted(text, change.key);
    if (change.kind == ChangeKind::kPut) {
      text += " ";
      append_quoted(text, change.value);
    }
    if (!change.expiry.is_never()) text += " " + std::to_string(change.expiry.resolve_ms(0));
    text += "\n";
  }
  return text;
}

/// Bytes that are no text are told in hexadecimal, under a name that says so.
void add_bytes(nlohmann::ordered_json& json, const std::string& name, std::string_view bytes) {
  const nlohmann::ordered_json text = std::string(bytes);
  try {
    (void)text.dump();
    json[name] = text;
  } catch (const nlohmann::ordered_json::type_error&) {
    json[name + "_hex"] = hex_of(bytes);
  }
}

std::string json_of(const CommitChanges& commit) {
  nlohmann::ordered_json json;
  json["sequence"] = commit.sequence;
  json["moment_ms"] = commit.moment_ms;
  json["changes"] = nlohmann::ordered_json::array();
  for (const Change& change : commit.changes) {
    nlohmann::ordered_json one;
    one["kind"] = name_of(change.kind);
    add_bytes(one, "key", change.key);
    if (change.kind == ChangeKind::kPut) add_bytes(one, "value", change.value);
    if (!change.expiry.is_never()) one["deadline_ms"] = change.expiry.resolve_ms(0);
    if (change.old_value) add_bytes(one, "old_value", *change.old_value);
    if (commit.has_old_values && !change.old_value) one["old_value"] = nullptr;
    json["changes"].push_back(std::move(one));
  }
  return json.dump() + "\n";
}

/// One walk through the log of a directory.
class Walk {
 public:
  Walk(os::Disk& disk, const ChangesArguments& arguments, const Streams& streams)
      : arguments_(arguments),
        streams_(streams),
        log_(arguments.directory + "/" + std::string(db::kLogFolder)),
        reader_(disk, {arguments.directory + "/" + std::string(db::kHistoryFolder), log_}) {}

  Result<void> operator()() {
    ASHLAR_TRY_ASSIGN(bool has_begun, begin());
    std::uint64_t left = arguments_.count_max;
    while (left > 0) {
      ASHLAR_TRY_ASSIGN(const bool is_told, has_begun ? tell_next() : begin_later(has_begun));
      if (is_told) --left;
      if (is_told) continue;
      std::fflush(streams_.out);
      if (!arguments_.is_following) return {};
      std::this_thread::sleep_for(kPause);
    }
    return {};
  }

 private:
  /// Returns: false when there is no commit to begin with
  Result<bool> begin() {
    ASHLAR_TRY_ASSIGN(end_, reader_.find_end(log_));
    std::uint64_t after = arguments_.after.value_or(0);
    if (!arguments_.after) {
      const Result<std::uint64_t> oldest = reader_.find_oldest(end_);
      const bool is_none = !oldest && oldest.error().code() == ErrorCode::kUnavailable;
      if (is_none && reader_.log_id()) return false;
      if (!oldest) return std::unexpected(oldest.error());
      after = *oldest - 1;
    }
    ASHLAR_TRY(reader_.seek(after, end_));
    after_ = after;
    return true;
  }

  Result<bool> begin_later(bool& has_begun) {
    ASHLAR_TRY_ASSIGN(has_begun, begin());
    return has_begun ? tell_next() : Result<bool>(false);
  }

  /// Returns: whether there was another commit
  Result<bool> tell_next() {
    ASHLAR_TRY_ASSIGN(auto frame, reader_.next(end_));
    if (!frame) {
      ASHLAR_TRY_ASSIGN(end_, reader_.find_end(log_));
      ASHLAR_TRY_ASSIGN(frame, reader_.next(end_));
    }
    while (frame && frame->header.commit <= after_) {
      ASHLAR_TRY_ASSIGN(frame, reader_.next(end_));
    }
    if (!frame) return false;
    if (!db::take_apart(*frame, commit_)) {
      return std::unexpected(
          Error(ErrorCode::kCorruption, log_ + ": commit " + std::to_string(frame->header.commit) +
                                            " has a good checksum and cannot be understood"));
    }
    streams_.print(arguments_.form == ChangesForm::kJson ? json_of(commit_) : text_of(commit_));
    return true;
  }

  const ChangesArguments& arguments_;
  const Streams& streams_;
  const std::string log_;
  db::CommitReader reader_;
  log::Position end_ = 0;
  std::uint64_t after_ = 0;
  CommitChanges commit_;
};

}  // namespace

ExitStatus run_changes(os::Disk& disk, const ChangesArguments& arguments, const Streams& streams) {
  const Result<std::optional<Engine>> engine = db::engine_of(disk, arguments.directory);
  if (!engine) return streams.fail(engine.error());
  if (!*engine) {
    return streams.fail(
        Error(ErrorCode::kInvalidArgument, arguments.directory + ": is no database"));
  }
  const Result<void> done = Walk(disk, arguments, streams)();
  return done ? kGood : streams.fail(done.error());
}

}  // namespace ashlar::cli
