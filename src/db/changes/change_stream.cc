// Commits on their way to a follower: out of the log, once they are durable.

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "ashlar/changes.h"
#include "base/assert.h"
#include "db/changes/commit_changes.h"
#include "db/changes/commit_reader.h"
#include "db/impl.h"

namespace ashlar {
namespace {

// How often a follower that waits looks, and how long it leaves the disk to the writers.
constexpr auto kPause = std::chrono::milliseconds(1);
constexpr auto kPauseBeforeFlush = std::chrono::milliseconds(10);

// So long a follower waits at once that goes on until it is stopped.
constexpr auto kWaitOfFollower = std::chrono::milliseconds(50);

// As good as for ever, and no sum with it runs over.
constexpr std::chrono::milliseconds kWaitMax = std::chrono::hours(24 * 365);

}  // namespace

struct ChangeStream::Impl {
  Impl(Db::Impl& its_db, std::uint64_t after_commit)
      : db(its_db),
        reader(its_db.journal->disk(), its_db.journal->log_folders()),
        after(after_commit) {}

  log::LocalLog& log() const noexcept { return db.journal->log(); }
  Result<bool> advance();
  Result<void> wait_for_more(std::chrono::steady_clock::time_point& flush_at) const;

  Db::Impl& db;
  db::CommitReader reader;
  const std::uint64_t after;
  log::Position durable_end = 0;  // As it was when it was asked for.
  CommitChanges current;
};

namespace {

Error no_log() {
  return Error::of_literal(ErrorCode::kInvalidArgument,
                           "a database without a directory has no log that tells of changes");
}

}  // namespace

ChangeStream::ChangeStream(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
ChangeStream::ChangeStream(ChangeStream&&) noexcept = default;
ChangeStream& ChangeStream::operator=(ChangeStream&&) noexcept = default;
ChangeStream::~ChangeStream() = default;

Result<ChangeStream> ChangeStream::open(Db& db, std::uint64_t after) {
  return db::at_border([&]() -> Result<ChangeStream> {
    if (db.impl_->is_closed()) return std::unexpected(db::closed());
    if (db.impl_->journal == nullptr) return std::unexpected(no_log());
    auto impl = std::make_unique<Impl>(*db.impl_, after);
    impl->reader.look_into(impl->log());
    const log::Start end = impl->log().end();
    if (after > end.commit) {
      return std::unexpected(Error(ErrorCode::kInvalidArgument,
                                   "there is no commit " + std::to_string(after) +
                                       " yet: the newest is " + std::to_string(end.commit)));
    }
    if (after == end.commit) {
      ASHLAR_TRY(impl->reader.begin_at(end));
    } else {
      ASHLAR_TRY(impl->log().durable(end.position));
      ASHLAR_TRY(impl->reader.seek(after, impl->log().durable_frame_end()));
    }
    return ChangeStream(std::move(impl));
  });
}

Result<ChangeBounds> ChangeStream::bounds(Db& db) {
  return db::at_border([&]() -> Result<ChangeBounds> {
    if (db.impl_->is_closed()) return std::unexpected(db::closed());
    if (db.impl_->journal == nullptr) return std::unexpected(no_log());
    log::LocalLog& log = db.impl_->journal->log();
    const log::Start end = log.end();
    ASHLAR_TRY(log.durable(end.position));
    db::CommitReader reader(db.impl_->journal->disk(), db.impl_->journal->log_folders());
    const Result<std::uint64_t> oldest = reader.find_oldest(end.position);
    const bool is_none = !oldest && oldest.error().code() == ErrorCode::kUnavailable;
    if (!oldest && !is_none) return std::unexpected(oldest.error());
    return ChangeBounds{.oldest = is_none ? end.commit + 1 : *oldest, .newest = end.commit};
  });
}

/// Makes the next commit the current one. How far the log is durable it asks only when it has come
/// to where that was: writers store beside it with each commit. Returns: false when none is durable
Result<bool> ChangeStream::Impl::advance() {
  if (db.is_closed()) return std::unexpected(db::closed());
  while (true) {
    if (reader.at().position >= durable_end) durable_end = log().durable_frame_end();
    ASHLAR_TRY_ASSIGN(const auto frame, reader.next(durable_end));
    if (!frame) return false;
    if (frame->header.commit <= after) continue;
    if (db::take_apart(*frame, current)) return true;
    return std::unexpected(
        Error(ErrorCode::kCorruption, "commit " + std::to_string(frame->header.commit) +
                                          " has a good checksum and cannot be understood"));
  }
}

/// Writers that want the disk take others' commits along, so those are left alone for a while.
Result<void> ChangeStream::Impl::wait_for_more(
    std::chrono::steady_clock::time_point& flush_at) const {
  const auto now = std::chrono::steady_clock::now();
  const log::Position end = log().end().position;
  if (end <= log().durable_end()) {
    flush_at = now + kPauseBeforeFlush;
  } else if (now >= flush_at) {
    flush_at = now + kPauseBeforeFlush;
    return log().durable(end);
  }
  std::this_thread::sleep_for(kPause);
  return {};
}

Result<const CommitChanges*> ChangeStream::next(std::chrono::milliseconds wait) {
  ASHLAR_ASSERT(impl_ != nullptr, "a moved-from stream has no commits");
  return db::at_border([&]() -> Result<const CommitChanges*> {
    ASHLAR_TRY_ASSIGN(bool is_there, impl_->advance());  // As a rule, with no look at the clock.
    if (is_there) return &impl_->current;
    const auto begin = std::chrono::steady_clock::now();
    const auto give_up_at = begin + std::min(wait, kWaitMax);
    auto flush_at = begin + std::min(wait, kPauseBeforeFlush);
    while (std::chrono::steady_clock::now() < give_up_at) {
      ASHLAR_TRY(impl_->wait_for_more(flush_at));
      ASHLAR_TRY_ASSIGN(is_there, impl_->advance());
      if (is_there) return &impl_->current;
    }
    return nullptr;
  });
}

Result<void> follow_changes(Db& db, std::uint64_t after,
                            const std::function<Result<void>(const CommitChanges&)>& visit,
                            const std::stop_token& stop) {
  ASHLAR_TRY_ASSIGN(ChangeStream stream, ChangeStream::open(db, after));
  while (!stop.stop_requested()) {
    ASHLAR_TRY_ASSIGN(const CommitChanges* const commit, stream.next(kWaitOfFollower));
    if (commit != nullptr) ASHLAR_TRY(visit(*commit));
  }
  return {};
}

}  // namespace ashlar
