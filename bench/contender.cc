#include "contender.h"

#include "machine.h"

namespace ashlar::bench {
namespace {

struct Turns {
  std::vector<double> all;
  std::vector<double> quiet;
  std::vector<double> processor;
};

}  // namespace

RoundsOutcome run_rounds(const Settings& settings,
                         std::span<const std::unique_ptr<Contender>> contenders) {
  RoundsOutcome outcome;
  std::vector<Turns> turns(contenders.size());
  for (int round = 0; round < settings.rounds; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      contenders[i]->prepare();
      const OthersMeter others;
      const Figure figure = contenders[i]->run(settings.seconds);
      const bool is_quiet = others.share() <= kDisturbedShare;
      turns[i].all.push_back(figure.wall);
      turns[i].processor.push_back(figure.processor);
      if (is_quiet) turns[i].quiet.push_back(figure.wall);
      ++outcome.turn_count;
      outcome.disturbed_turn_count += is_quiet ? 0 : 1;
    }
  }
  for (const auto& [all, quiet, processor] : turns) {
    outcome.spreads.push_back(spread_of(quiet.size() >= kQuietTurnsMin ? quiet : all));
    outcome.processor_ns.push_back(spread_of(processor).median);
  }
  return outcome;
}

}  // namespace ashlar::bench
