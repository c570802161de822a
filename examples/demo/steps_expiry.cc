#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "steps.h"

namespace demo {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFrame{20};
/// Deadlines are whole milliseconds, and two clocks are being compared.
constexpr milliseconds kTolerance{3};
constexpr std::size_t kKeyColumns = 24;
constexpr std::size_t kBarColumns = 30;

/// A key that will not be there for long.
struct Mortal {
  std::string_view key;
  milliseconds lifetime;
  Clock::time_point stored_after;   ///< It was stored at this moment or later,
  Clock::time_point stored_before;  ///< and at this one or earlier.
  bool is_gone = false;
};

ashlar::Result<Mortal> store(ashlar::Db& db, std::string_view key, milliseconds lifetime) {
  const auto stored_after = Clock::now();
  ASHLAR_TRY(db.put(key, "logged in", ashlar::Expiry::in(lifetime)));
  return Mortal{.key = key,
                .lifetime = lifetime,
                .stored_after = stored_after,
                .stored_before = Clock::now()};
}

std::string seconds_text(milliseconds time) {
  return fixed(static_cast<double>(time.count()) / 1000.0, 2) + " s";
}

std::string frame_line(const Mortal& mortal, milliseconds left) {
  const auto filled = static_cast<std::size_t>(left * kBarColumns / mortal.lifetime);
  std::string line(mortal.key);
  line.resize(kKeyColumns, ' ');
  line += std::string(std::min(filled, kBarColumns), '#') +
          std::string(kBarColumns - std::min(filled, kBarColumns), '.');
  return line + (mortal.is_gone ? "  gone" : "  " + seconds_text(left));
}

/// Asks for `mortal` and checks the answer against the time.
///
/// Returns: how long it still has, zero when it is gone
ashlar::Result<milliseconds> observe(const Stage& stage, Mortal& mortal) {
  const auto asked_after = Clock::now();
  ASHLAR_TRY_ASSIGN(const bool is_there, stage.db.exists(mortal.key));
  const auto asked_before = Clock::now();

  if (is_there && asked_after > mortal.stored_before + mortal.lifetime + kTolerance) {
    return wrong(std::string(mortal.key) + ": is there after its deadline");
  }
  if (!is_there && asked_before < mortal.stored_after + mortal.lifetime - kTolerance) {
    return wrong(std::string(mortal.key) + ": is gone before its deadline");
  }
  if (!is_there && !mortal.is_gone && !stage.terminal.is_live()) {
    const auto age = std::chrono::floor<milliseconds>(asked_after - mortal.stored_after);
    stage.terminal.line({mortal.key, "  given ", seconds_text(mortal.lifetime),
                         ", found gone after ", seconds_text(age)});
  }
  mortal.is_gone = !is_there;
  ASHLAR_TRY_ASSIGN(const auto left, stage.db.time_to_live(mortal.key));
  return left.value_or(milliseconds(0));
}

}  // namespace

ashlar::Result<void> watch_expiry(const Stage& stage) {
  auto& terminal = stage.terminal;
  terminal.heading("Expiry: keys that live for 0.3, 0.6 and 0.9 seconds");

  ASHLAR_TRY_ASSIGN(auto ada, store(stage.db, "session:ada", milliseconds(300)));
  ASHLAR_TRY_ASSIGN(auto blaise, store(stage.db, "session:blaise", milliseconds(600)));
  ASHLAR_TRY_ASSIGN(auto carl, store(stage.db, "session:carl", milliseconds(900)));
  std::array mortals{ada, blaise, carl};
  for (bool is_any_left = true; is_any_left;) {
    std::vector<std::string> lines;
    is_any_left = false;
    for (auto& mortal : mortals) {
      ASHLAR_TRY_ASSIGN(const auto left, observe(stage, mortal));
      lines.push_back(frame_line(mortal, left));
      is_any_left = is_any_left || !mortal.is_gone;
    }
    terminal.redraw(lines);
    if (is_any_left) std::this_thread::sleep_for(kFrame);
  }
  terminal.keep();
  terminal.good({"each was there until its deadline and absent from then on"});
  return {};
}

}  // namespace demo
