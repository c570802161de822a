#include "script.h"

#include <array>
#include <utility>

#include "../model/workload.h"
#include "testing/random.h"

namespace ashlar::metamorphic {
namespace {

constexpr std::uint64_t kKeyCount = 400;

// The clock of every player begins there: see player.h.
constexpr std::int64_t kBeginMs = 1'000'000;

class Author {
 public:
  explicit Author(std::uint64_t seed) : random_(seed) {}

  Step next() {
    const std::uint64_t choice = random_.below(1000);
    if (choice < 480) return change(choice);
    if (choice < 800) return read(choice - 480);
    if (choice < 960) return hold(choice - 800);
    return turn(choice - 960);
  }

 private:
  std::string key() {
    if (random_.below(200) == 0) return {};  // Refused by all.
    const bool is_hostile = random_.chance(20);
    return model::key_of(is_hostile ? model::KeyShape::kHostile : model::KeyShape::kPlain,
                         random_.below(kKeyCount));
  }

  std::string value() { return random_.bytes(model::value_bytes(random_, 20'000)); }

  Expiry expiry() {
    const auto delay = static_cast<std::int64_t>(random_.below(random_.chance(50) ? 50 : 5000));
    switch (random_.below(6)) {
      case 0:
        return Expiry::at_ms(kBeginMs + delay * 4);
      case 1:
        return Expiry::at_ms(0);
      case 2:
        return Expiry::in(std::chrono::milliseconds(-delay));
      default:
        return Expiry::in(std::chrono::milliseconds(delay));
    }
  }

  Durability durability() {
    constexpr std::array kAll{Durability::kNone, Durability::kProcess, Durability::kDisk};
    return kAll[random_.below(kAll.size())];
  }

  Range range() {
    if (random_.chance(25)) return Range::all();
    const std::string from = key();
    if (random_.chance(30)) {
      return Range::prefix(std::string_view(from).substr(0, random_.below(from.size() + 1)));
    }
    if (random_.chance(30)) return {.from = from, .to = {}};
    return {.from = from, .to = key()};
  }

  Write write(bool may_erase) {
    Write write{.key = key(), .value = {}};
    if (may_erase && random_.chance(35)) return write;
    write.value = value();
    if (random_.chance(25)) write.expiry = expiry();
    return write;
  }

  Step change(std::uint64_t choice) {
    Step step{.call = Call::kPut, .durability = durability()};
    if (choice < 240) {
      step.writes.push_back(write(false));
    } else if (choice < 320) {
      step.call = Call::kErase;
      step.key = key();
    } else if (choice < 380) {
      step.call = Call::kExpire;
      step.key = key();
      step.expiry = random_.chance(20) ? Expiry::never() : expiry();
    } else if (choice < 400) {
      step.call = Call::kPersist;
      step.key = key();
    } else {
      step.call = Call::kWrite;
      const std::uint64_t count = random_.below(random_.chance(10) ? 100 : 12);
      while (step.writes.size() < count) step.writes.push_back(write(true));
    }
    return step;
  }

  Step read(std::uint64_t choice) {
    Step step{.call = Call::kGet,
              .key = key(),
              .slot = random_.below(kSlotCount),
              .is_at_snapshot = random_.chance(40)};
    if (choice < 150) return step;
    if (choice < 190) {
      step.call = Call::kExists;
    } else if (choice < 215) {
      step.call = Call::kTimeToLive;
    } else if (choice < 240) {
      step.call = Call::kExpiryOf;
    } else if (choice < 300) {
      step.call = Call::kMultiGet;
      const std::uint64_t count = random_.below(40);
      while (step.keys.size() < count) step.keys.push_back(key());
    } else {
      step.call = Call::kScan;
      step.range = range();
    }
    return step;
  }

  /// What is taken hold of, and let go.
  Step hold(std::uint64_t choice) {
    Step step{.call = Call::kTakeSnapshot,
              .range = range(),
              .slot = random_.below(kSlotCount),
              .is_at_snapshot = random_.chance(30)};
    if (choice < 20) return step;
    if (choice < 35) {
      step.call = Call::kReleaseSnapshot;
    } else if (choice < 55) {
      step.call = Call::kOpenScan;
    } else if (choice < 65) {
      step.call = Call::kCloseScan;
    } else {
      step.call = Call::kMoveScan;
      const std::uint64_t count = 1 + random_.below(20);
      while (step.moves.size() < count) step.moves.push_back(move());
    }
    return step;
  }

  Move move() {
    using Kind = Move::Kind;
    constexpr std::array kKinds{Kind::kNext,     Kind::kNext,     Kind::kNext,
                                Kind::kNext,     Kind::kPrevious, Kind::kPrevious,
                                Kind::kPrevious, Kind::kSeek,     Kind::kSeekForPrevious,
                                Kind::kFirst,    Kind::kLast};
    Move move{.kind = kKinds[random_.below(kKinds.size())]};
    if (move.kind == Kind::kSeek || move.kind == Kind::kSeekForPrevious) move.key = key();
    return move;
  }

  /// What happens to the database as a whole.
  Step turn(std::uint64_t choice) {
    if (choice < 30) {
      const std::uint64_t reach = random_.chance(10) ? 5000 : 30;
      return {.call = Call::kAdvance, .by_ms = static_cast<std::int64_t>(random_.below(reach))};
    }
    if (choice < 35) return {.call = Call::kCheckpoint};
    return {.call = choice < 37 ? Call::kCompact : Call::kReopen};
  }

  testing::Random random_;
};

}  // namespace

std::vector<Step> make_script(std::uint64_t seed, std::uint64_t step_count) {
  Author author(seed);
  std::vector<Step> steps;
  while (steps.size() < step_count) steps.push_back(author.next());
  return steps;
}

std::string_view name_of(Call call) noexcept {
  constexpr std::array<std::string_view, 20> kNames{"put",
                                                    "erase",
                                                    "expire",
                                                    "persist",
                                                    "write",
                                                    "get",
                                                    "exists",
                                                    "time_to_live",
                                                    "expiry_of",
                                                    "multi_get",
                                                    "scan",
                                                    "take a snapshot",
                                                    "release a snapshot",
                                                    "open a scan",
                                                    "move a scan",
                                                    "close a scan",
                                                    "advance the clock",
                                                    "checkpoint",
                                                    "compact",
                                                    "reopen"};
  return kNames[static_cast<std::size_t>(call)];
}

}  // namespace ashlar::metamorphic
