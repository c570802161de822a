#include "testing/isolation/history_file.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "testing/isolation/history_text.h"

namespace ashlar::testing {
namespace {

Error in_line(const Error& error, const std::string& path, std::size_t line) {
  return {error.code(), path + ":" + std::to_string(line) + ": " + std::string(error.message())};
}

/// What the file ends in the midst of: no outcome is known, or it never came to ask for one.
Transaction unfinished(const LineDecoder& decoder, std::uint64_t ended_by) {
  ASHLAR_ASSERT(decoder.is_open(), "there is a transaction without an end");
  Transaction transaction = decoder.transaction();
  transaction.outcome = decoder.is_committing() ? Outcome::kUnknown : Outcome::kAborted;
  transaction.end = std::max(ended_by, transaction.begin);
  return transaction;
}

Result<std::string> read_whole(os::Disk& disk, const std::string& path) {
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, path, os::OpenMode::kRead));
  if (file == nullptr) {
    return std::unexpected(Error(ErrorCode::kInvalidArgument, path + ": no such history"));
  }
  ASHLAR_TRY_ASSIGN(const std::uint64_t bytes, file->size());
  std::string text(bytes, '\0');
  ASHLAR_TRY(file->read(0, text));
  return text;
}

}  // namespace

HistoryWriter::HistoryWriter(std::unique_ptr<os::File> file) noexcept : file_(std::move(file)) {
  ASHLAR_ASSERT(file_ != nullptr, "a writer has a file");
}

Result<HistoryWriter> HistoryWriter::create(os::Disk& disk, const std::string& path) {
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, path, os::OpenMode::kCreate));
  return HistoryWriter(std::move(file));
}

void HistoryWriter::begin(std::uint64_t stamp) {
  ASHLAR_ASSERT(state_ == State::kOutside, "transactions of a session follow one another");
  append_begin_line(stamp, pending_);
  state_ = State::kRunning;
}

void HistoryWriter::add(const Operation& operation) {
  ASHLAR_ASSERT(state_ == State::kRunning, "an operation is of a transaction that runs");
  append_operation_line(operation, pending_);
}

Result<void> HistoryWriter::committing() {
  ASHLAR_ASSERT(state_ == State::kRunning, "a transaction asks to commit once");
  append_commit_line(pending_);
  state_ = State::kCommitting;
  return flush();
}

Result<void> HistoryWriter::end(Outcome outcome, std::uint64_t stamp) {
  ASHLAR_ASSERT(state_ != State::kOutside, "what ends has begun");
  if (outcome == Outcome::kCommitted) {
    ASHLAR_ASSERT(state_ == State::kCommitting, "what is committed has asked for it");
  }
  append_end_line(outcome, stamp, pending_);
  state_ = State::kOutside;
  return flush();
}

Result<void> HistoryWriter::flush() {
  ASHLAR_TRY(file_->write(bytes_written_, pending_));
  bytes_written_ += pending_.size();
  pending_.clear();
  return {};
}

Result<void> read_history(os::Disk& disk, const SessionFile& file, TransactionHistory& history) {
  ASHLAR_TRY_ASSIGN(const std::string text, read_whole(disk, file.path));
  LineDecoder decoder;
  std::string_view rest = text;
  for (std::size_t line = 1; rest.find('\n') != std::string_view::npos; ++line) {
    const std::size_t length = rest.find('\n');
    const auto progress = decoder.take(rest.substr(0, length));
    if (!progress) return std::unexpected(in_line(progress.error(), file.path, line));
    rest.remove_prefix(length + 1);
    if (*progress != LineDecoder::Progress::kWhole) continue;
    Transaction transaction = decoder.transaction();
    transaction.session = file.session;
    if (const auto added = history.add(transaction); !added) {
      return std::unexpected(in_line(added.error(), file.path, line));
    }
  }
  if (!decoder.is_open()) return {};
  Transaction last = unfinished(decoder, file.ended_by);
  last.session = file.session;
  return history.add(last);
}

}  // namespace ashlar::testing
