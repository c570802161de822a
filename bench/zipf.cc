#include "zipf.h"

#include <algorithm>
#include <cmath>

namespace ashlar::bench {

double zeta(std::uint64_t count, double theta) {
  constexpr std::uint64_t kExactTerms = 10'000;
  double sum = 0;
  const std::uint64_t exact = std::min(count, kExactTerms);
  for (std::uint64_t i = 1; i <= exact; ++i) sum += std::pow(static_cast<double>(i), -theta);
  if (count == exact) return sum;

  // The rest by the first two terms of Euler and Maclaurin's formula.
  const auto from = static_cast<double>(exact);
  const auto to = static_cast<double>(count);
  const double integral = (std::pow(to, 1 - theta) - std::pow(from, 1 - theta)) / (1 - theta);
  return sum + integral + (std::pow(to, -theta) - std::pow(from, -theta)) / 2;
}

Zipf::Zipf(std::uint64_t count, double theta)
    : count_(count),
      theta_(theta),
      zeta_(zeta(count, theta)),
      alpha_(1 / (1 - theta)),
      eta_((1 - std::pow(2 / static_cast<double>(count), 1 - theta)) /
           (1 - zeta(2, theta) / zeta_)) {}

std::uint64_t Zipf::draw(Random& random) const {
  const double fraction = random.fraction();
  if (fraction * zeta_ < 1) return 0;
  if (fraction * zeta_ < 1 + std::pow(0.5, theta_)) return 1;
  const double rank = static_cast<double>(count_) * std::pow(eta_ * fraction - eta_ + 1, alpha_);
  return std::min(static_cast<std::uint64_t>(rank), count_ - 1);
}

double Zipf::share_of(std::uint64_t rank) const {
  return std::pow(static_cast<double>(rank + 1), -theta_) / zeta_;
}

std::vector<std::uint32_t> scrambled_zipf(std::uint64_t count, double theta, std::size_t draws,
                                          std::uint64_t seed) {
  const Zipf zipf(count, theta);
  const Shuffle shuffle(count);
  Random random(seed);
  std::vector<std::uint32_t> indices(draws);
  for (auto& index : indices) {
    index = static_cast<std::uint32_t>(shuffle.at(zipf.draw(random)));
  }
  return indices;
}

}  // namespace ashlar::bench
