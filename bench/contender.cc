#include "contender.h"

namespace ashlar::bench {

std::vector<Spread> run_rounds(const Settings& settings,
                               std::span<const std::unique_ptr<Contender>> contenders) {
  std::vector<std::vector<double>> figures(contenders.size());
  for (int round = 0; round < settings.rounds; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      contenders[i]->prepare();
      figures[i].push_back(contenders[i]->run(settings.seconds));
    }
  }
  std::vector<Spread> spreads;
  spreads.reserve(figures.size());
  for (const auto& each : figures) spreads.push_back(spread_of(each));
  return spreads;
}

}  // namespace ashlar::bench
