#include "soak_rows.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/random.h"

namespace ashlar::crash {
namespace {

constexpr std::string_view kPrefix = "row:";
constexpr std::size_t kDigits = 12;
constexpr std::size_t kShortBytes = 100;
constexpr std::size_t kLongBytes = 1000;

}  // namespace

void SoakRows::make_key(std::uint64_t number, std::string& key) {
  key.assign(kPrefix);
  key.resize(kPrefix.size() + kDigits);
  for (std::size_t i = key.size(); i > kPrefix.size(); --i, number >>= 4U) {
    key[i - 1] = "0123456789abcdef"[number & 15U];
  }
}

void SoakRows::make_value(std::uint64_t number, std::string& value) const {
  const std::uint64_t version = marks_[number] & (kPresent - 1U);
  base::Random random(number * kPresent + version);
  const std::size_t bytes = random.below(2) == 0 ? kShortBytes : kLongBytes;
  value.assign(bytes, static_cast<char>('a' + version % 26));
  const std::array<std::uint64_t, 2> head{number, version};
  std::memcpy(value.data(), head.data(), sizeof(head));
  for (std::size_t at = sizeof(head); at + sizeof(std::uint64_t) <= bytes / 2;
       at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random.next();
    std::memcpy(value.data() + at, &word, sizeof(word));
  }
}

void SoakRows::put(std::uint64_t number) noexcept {
  marks_[number] = static_cast<std::uint8_t>((marks_[number] + 1U) | kPresent);
}

void SoakRows::erase(std::uint64_t number) noexcept {
  marks_[number] &= static_cast<std::uint8_t>(~kPresent);
}

std::uint64_t SoakRows::next_from(std::uint64_t number) const noexcept {
  while (number < row_count() && !has(number)) ++number;
  return number;
}

std::uint64_t SoakRows::last_before(std::uint64_t number) const noexcept {
  while (number > 0 && !has(number - 1)) --number;
  return number == 0 ? row_count() : number - 1;
}

}  // namespace ashlar::crash
