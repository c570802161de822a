// The campaign `replay`: whoever follows the changes of a database (ashlar/changes.h) has what it
// has, whatever befalls it. A writer makes random commits on a simulated disk; the machine loses
// its power, the process is killed or ends in order, again and again, and a follower reads beside.
//
//     replay [--size=commits] [--seed=] [--engine=memory|disk]
//            [--plant=stream-before-durable, in the twin]
//
// After each opening: what the follower was given is there, byte for byte (J4); no commit is lost
// that was acknowledged; the rows are those of the last commit that is left. In the end the stream
// is replayed from the beginning of the database into an empty one in memory. It has every commit
// that survived, once and in order; after each the rows are what they were, and after every
// hundredth the replica is read and compared, with all deadlines.

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ashlar/changes.h"
#include "base/coding.h"
#include "campaign_arguments.h"
#include "campaign_engine.h"
#include "db/access.h"
#include "db/calling_thread_test.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"
#include "plants.h"
#include "replay_writer.h"

namespace ashlar::crash {
namespace {

// In the year 2100, so that no deadline passes for the replica, which has the clock of the machine.
constexpr std::int64_t kBeginMs = 4'102'444'800'000;

constexpr std::uint64_t kCommitsPerRead = 100;  // Of the replica as a whole.
constexpr std::uint64_t kCommitsPerSessionMax = 600;

struct Campaign {
  std::uint64_t size = 100'000;
  std::uint64_t seed = 1;
  Engine engine = Engine::kMemory;
};

/// A commit that was made, or may have been when the machine stopped.
struct Made {
  std::uint64_t sequence = 0;
  std::vector<ReplayEffect> effects;
};

/// A commit as a follower was given it, all of it.
struct Told {
  std::uint64_t sequence = 0;
  std::string bytes;
};

Told told_of(const CommitChanges& commit) {
  Told told{.sequence = commit.sequence, .bytes = {}};
  const auto append = [&](std::string_view bytes) {
    base::append_varint(told.bytes, bytes.size());
    told.bytes.append(bytes);
  };
  base::append_number(told.bytes, commit.moment_ms);
  for (const Change& change : commit.changes) {
    told.bytes.push_back(static_cast<char>(change.kind));
    append(change.key);
    append(change.value);
    append(change.old_value.value_or("no old value"));
    base::append_number(told.bytes, change.expiry.resolve_ms(0));
  }
  return told;
}

/// How a session ends.
enum class End : std::uint8_t { kPowerCut, kKill, kClose };

constexpr os::PowerCut kCuts[] = {os::PowerCut::kKeepNothing, os::PowerCut::kKeepEverything,
                                  os::PowerCut::kKeepRandom, os::PowerCut::kTorn,
                                  os::PowerCut::kTorn4K};

class Run {
 public:
  explicit Run(const Campaign& campaign)
      : campaign_(campaign), random_(campaign.seed, 12), writer_(campaign.seed) {}

  int operator()() {
    while (fingerprints_.size() < campaign_.size && violation_count_ == 0) {
      run_session();
      if (++session_count_ % 20 != 0) continue;
      std::printf("replay: %zu of %" PRIu64 " commits\n", fingerprints_.size(), campaign_.size);
      std::fflush(stdout);
    }
    if (violation_count_ == 0 && open_and_check()) {
      const auto replayed = replay();
      if (!replayed) violate("the replay: " + std::string(replayed.error().message()));
    }
    return conclude();
  }

 private:
  // One opening, some commits, one end.

  void run_session() {
    if (!open_and_check()) return;
    const std::uint64_t draw = random_.below(10);
    const End end = draw < 6 ? End::kPowerCut : draw < 8 ? End::kKill : End::kClose;
    const std::uint64_t commit_count = random_.below(kCommitsPerSessionMax);
    // Often it goes away in the midst of a call.
    const std::uint64_t calls = random_.between(1, 2 * kCommitsPerSessionMax);
    if (end == End::kPowerCut) disk_.stop_before(disk_.call_count() + calls);
    for (std::uint64_t i = 0; i < commit_count && violation_count_ == 0; ++i) {
      if (!make_step() || !work_in_background(i) || !follow_a_little()) break;
    }
    if (violation_count_ == 0) end_session(end);
  }

  /// Opens the database, after which only what survives is there, and compares it.
  bool open_and_check() {
    Options options = options_for("/data", campaign_.engine);
    options.history_bytes_max = std::uint64_t{1} << 40U;
    options.history_has_old_values = random_.chance(25);
    db::Environment environment = db::in_calling_thread(
        disk_, clock_,
        {.segment_bytes = std::size_t{64} << 10U, .ring_bytes = std::size_t{16} << 10U});
    environment.disk_engine = tiny_settings(options);
    auto opened = db::Access::open(options, environment);
    if (!opened) return violate(std::string(opened.error().message()));
    db_.emplace(std::move(*opened));
    reclaimed_count_ = 0;
    const auto checked = check_opened();
    if (!checked) violate(std::string(checked.error().message()));
    return violation_count_ == 0;
  }

  Result<void> check_opened() {
    ASHLAR_TRY_ASSIGN(const ChangeBounds bounds, ChangeStream::bounds(*db_));
    if (bounds.newest < surely_there_ || bounds.newest > newest_) {
      violate("the newest commit is " + std::to_string(bounds.newest) + " and not one from " +
              std::to_string(surely_there_) + " to " + std::to_string(newest_));
      return {};
    }
    if (bounds.oldest != 1) violate("commits from 1 on were to be kept");
    for (Made& made : made_) {
      if (made.sequence > bounds.newest) break;
      rows_.apply(made.effects);
      fingerprints_.emplace_back(made.sequence, rows_.fingerprint());
    }
    made_.clear();
    rows_now_ = rows_;
    newest_ = surely_there_ = there_after_kill_ = bounds.newest;
    ASHLAR_TRY_ASSIGN(const ReplayRows found, read_rows(*db_));
    if (found.rows() != rows_.at(clock_.now_ms()).rows()) {
      violate("the rows are not those after commit " + std::to_string(newest_));
    }
    return check_told();
  }

  /// J4: what was given to the follower before is there, and what comes behind it goes on.
  Result<void> check_told() {
    ASHLAR_TRY_ASSIGN(ChangeStream stream, ChangeStream::open(*db_, told_before_));
    for (const Told& expected : told_) {
      ASHLAR_TRY_ASSIGN(const CommitChanges* const commit, stream.next());
      const bool is_there = commit != nullptr && told_of(*commit).sequence == expected.sequence &&
                            told_of(*commit).bytes == expected.bytes;
      if (is_there) continue;
      violate("commit " + std::to_string(expected.sequence) +
              " was handed out, and is gone or another one");
      return {};
    }
    told_count_ += told_.size();
    if (!told_.empty()) told_before_ = told_.back().sequence;
    told_.clear();
    follower_.emplace(std::move(stream));
    return {};
  }

  /// Returns: whether the session goes on
  bool make_step() {
    clock_.advance(static_cast<std::int64_t>(random_.below(20)));
    ReplayWriter::Step step = writer_.next(rows_now_, clock_.now_ms());
    const Result<bool> done = run_step(*db_, step);
    const bool is_commit = !step.effects.empty();
    if (is_commit) {
      ++newest_;  // What fails may have become one.
      rows_now_.apply(step.effects);
      made_.push_back({.sequence = newest_, .effects = std::move(step.effects)});
    }
    if (!done) return goes_on_after(done.error());
    note_reclaimed();
    if (*done != is_commit) return violate("a call on " + step.key + " gave the wrong answer");
    if (step.durability == Durability::kDisk) surely_there_ = newest_;
    if (step.durability != Durability::kNone) there_after_kill_ = newest_;
    return true;
  }

  bool work_in_background(std::uint64_t step_number) {
    constexpr std::uint64_t kStepsPerMaintenance = 16;
    if (step_number % kStepsPerMaintenance == 0) db::Access::engine(*db_).maintain();
    note_reclaimed();
    if (random_.below(200) != 0) return true;
    const auto done = db_->checkpoint();
    return done.has_value() || goes_on_after(done.error());
  }

  /// A key that goes at its deadline is a commit as well. The rows as they are written stay what
  /// they are: nobody sees such a row anyway.
  void note_reclaimed() {
    const auto stats = db_->stats();
    if (!stats) return;
    for (; reclaimed_count_ < stats->expired_count; ++reclaimed_count_) {
      made_.push_back({.sequence = ++newest_, .effects = {}});
    }
  }

  /// Has the follower read some of what there is. Once in a while it waits, and so has what was
  /// not made durable brought to the disk.
  bool follow_a_little() {
    using std::chrono::milliseconds;
    if (!random_.chance(30)) return true;
    for (std::uint64_t count = random_.below(30); count > 0; --count) {
      const bool has_patience = random_.below(2'000) == 0;
      const auto commit = follower_->next(milliseconds(has_patience ? 30 : 0));
      if (!commit) return goes_on_after(commit.error());
      if (*commit == nullptr) return true;
      told_.push_back(told_of(**commit));
    }
    return true;
  }

  /// Returns: false; an error is one of the database unless the machine has stopped
  bool goes_on_after(const Error& error) {
    if (!disk_.has_stopped()) violate(std::string(error.message()));
    return false;
  }

  void end_session(End end) {
    follower_.reset();
    if (end == End::kPowerCut) {
      disk_.stop_before(disk_.call_count());
      db_.reset();
      ++newest_;  // The end in order that it did not come to may have left its number.
      disk_.cut_power(kCuts[random_.below(std::size(kCuts))], random_.next());
      ++cut_count_;
    } else if (end == End::kKill) {
      disk_.crash_process();
      db_.reset();
      surely_there_ = there_after_kill_;
      ++kill_count_;
    } else {
      const auto closed = db_->close();
      if (!closed) violate(std::string(closed.error().message()));
      db_.reset();
      surely_there_ = ++newest_;  // The end has a number too.
    }
  }

  // The replay.

  Result<void> replay() {
    ASHLAR_TRY_ASSIGN(ChangeStream stream, ChangeStream::open(*db_, 0));
    ASHLAR_TRY_ASSIGN(Db replica, Db::open({.memory_budget_bytes = std::size_t{256} << 20U}));
    ReplayRows rows;
    for (const auto& [sequence, fingerprint] : fingerprints_) {
      ASHLAR_TRY_ASSIGN(const CommitChanges* const commit, stream.next());
      if (commit == nullptr || commit->sequence != sequence) {
        violate("commit " + std::to_string(sequence) + " is missing");
        return {};
      }
      if (commit->has_old_values) check_old_values(*commit, rows);
      ASHLAR_TRY(apply(*commit, rows, replica));
      ++replayed_count_;
      bool is_same = rows.fingerprint() == fingerprint;
      if (is_same && replayed_count_ % kCommitsPerRead == 0) {
        ASHLAR_TRY_ASSIGN(const ReplayRows found, read_rows(replica));
        is_same = found.rows() == rows.rows();
        ++read_count_;
      }
      if (!is_same) violate("the rows are others after commit " + std::to_string(sequence));
      if (violation_count_ > 0) return {};
    }
    ASHLAR_TRY_ASSIGN(const CommitChanges* const behind, stream.next());
    if (behind != nullptr) violate("a commit that nobody has made");
    return compare_in_the_end(replica);
  }

  Result<void> compare_in_the_end(Db& replica) {
    ASHLAR_TRY_ASSIGN(const ReplayRows copied, read_rows(replica));
    ASHLAR_TRY_ASSIGN(const ReplayRows real, read_rows(*db_));
    if (copied.at(clock_.now_ms()).rows() != real.rows()) violate("the database has other rows");
    return {};
  }

  void check_old_values(const CommitChanges& commit, const ReplayRows& before) {
    for (const Change& change : commit.changes) {
      if (change.kind == ChangeKind::kExpire) continue;
      const ReplayRow* const row = before.find(change.key);
      const bool was_there = row != nullptr && row->is_there(commit.moment_ms);
      const bool is_good = change.old_value.has_value() == was_there &&
                           (!was_there || *change.old_value == row->value);
      ++old_value_count_;
      if (is_good) continue;
      violate("commit " + std::to_string(commit.sequence) + " tells of another old value of " +
              std::string(change.key));
    }
  }

  /// J6: a key is told of once that has passed its deadline, and was not written since.
  void check_reclaimed(const CommitChanges& commit, const ReplayRows& rows) {
    const std::string key(commit.changes.front().key);
    const ReplayRow* const row = rows.find(key);
    const bool is_good =
        row != nullptr && !row->is_there(commit.moment_ms) && told_as_gone_.insert(key).second;
    ++expiry_count_;
    if (is_good) return;
    violate("commit " + std::to_string(commit.sequence) + " tells that " + key + " has expired");
  }

  Result<void> apply(const CommitChanges& commit, ReplayRows& rows, Db& replica) {
    for (const Change& change : commit.changes) {
      if (change.kind == ChangeKind::kExpired) {
        check_reclaimed(commit, rows);
        continue;
      }
      told_as_gone_.erase(std::string(change.key));
      if (change.kind == ChangeKind::kErase) {
        ASHLAR_TRY(replica.erase(change.key));
        rows.set(change.key, std::nullopt);
        continue;
      }
      ReplayRow row{.value = std::string(change.value), .deadline_ms = change.expiry.resolve_ms(0)};
      if (change.kind == ChangeKind::kExpire) {
        ASHLAR_TRY(replica.expire(change.key, change.expiry));
        const ReplayRow* const old = rows.find(change.key);
        if (old != nullptr) row.value = old->value;
      } else {
        ASHLAR_TRY(replica.put(change.key, change.value, change.expiry));
      }
      rows.set(change.key, std::move(row));
    }
    return {};
  }

  // What comes of it.

  /// Returns: false
  bool violate(const std::string& what) {
    ++violation_count_;
    std::printf("replay: VIOLATION in session %" PRIu64 ", seed %" PRIu64 ": %s\n", session_count_,
                campaign_.seed, what.c_str());
    return false;
  }

  int conclude() const {
    std::printf("campaign replay: commits=%zu sessions=%" PRIu64 " cuts=%" PRIu64 " kills=%" PRIu64
                " followed=%" PRIu64 " replayed=%" PRIu64 " reads=%" PRIu64 " old_values=%" PRIu64
                " expiries=%" PRIu64 " violations=%" PRIu64 " skipped=0\n",
                fingerprints_.size(), session_count_, cut_count_, kill_count_, told_count_,
                replayed_count_, read_count_, old_value_count_, expiry_count_, violation_count_);
    // A follower that was given hardly anything before the ends has shown nothing.
    const bool is_void = told_count_ < fingerprints_.size() / 10 || cut_count_ == 0;
    if (is_void && violation_count_ == 0)
      std::printf("replay: void: hardly anything was followed\n");
    return violation_count_ == 0 && !is_void ? 0 : 1;
  }

  const Campaign campaign_;
  testing::Random random_;
  ReplayWriter writer_;
  os::ManualClock clock_{kBeginMs};
  os::SimulatedDisk disk_;
  std::optional<Db> db_;
  std::optional<ChangeStream> follower_;

  // The commits that survived, each with the fingerprint of the rows behind it, and those rows.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> fingerprints_;
  ReplayRows rows_;

  // Those of the session at hand, and the rows as the writer sees them.
  std::deque<Made> made_;
  ReplayRows rows_now_;
  std::uint64_t newest_ = 0;            // No commit has a greater number,
  std::uint64_t surely_there_ = 0;      // and up to here they survive whatever happens,
  std::uint64_t there_after_kill_ = 0;  // or the end of the process.
  std::uint64_t reclaimed_count_ = 0;   // Keys that went at their deadline since the opening.

  // What the follower was given behind the commit `told_before_`.
  std::vector<Told> told_;
  std::uint64_t told_before_ = 0;

  std::set<std::string> told_as_gone_;  // Keys that have expired, as the stream tells.

  std::uint64_t session_count_ = 0;
  std::uint64_t cut_count_ = 0;
  std::uint64_t kill_count_ = 0;
  std::uint64_t told_count_ = 0;
  std::uint64_t replayed_count_ = 0;
  std::uint64_t read_count_ = 0;
  std::uint64_t old_value_count_ = 0;
  std::uint64_t expiry_count_ = 0;
  std::uint64_t violation_count_ = 0;
};

}  // namespace
}  // namespace ashlar::crash

int main(int argument_count, char** argument_list) {
  ashlar::crash::CampaignArguments arguments(argument_count, argument_list);
  ashlar::crash::Campaign campaign;
  campaign.size = arguments.number("size", campaign.size);
  campaign.seed = arguments.number("seed", campaign.seed);
  campaign.engine = ashlar::crash::engine_of(arguments);
  const std::string plant = arguments.text("plant");
  if (!ashlar::crash::plant_bug(plant)) ashlar::crash::CampaignArguments::refuse(plant);
  arguments.expect_nothing_left();
  return ashlar::crash::Run(campaign)();
}
