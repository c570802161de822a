#include "testing/isolation/register_orders.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/assert.h"

namespace ashlar::testing {
namespace {

struct TimedVersion {
  std::uint32_t key = 0;
  std::uint32_t version = kNoNumber;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The final versions of registers by transactions that took effect, by key and then by begin.
std::vector<TimedVersion> timed_versions(const Evidence& evidence) {
  const TransactionHistory& history = evidence.history;
  std::vector<TimedVersion> timed;
  for (std::uint32_t i = history.key_count(); i < evidence.versions.count(); ++i) {
    const Version& version = evidence.versions[i];
    if (history.role(version.key) != TransactionHistory::Role::kRegister) continue;
    if (!version.is_final || !evidence.observations.took_effect(version.writer)) continue;
    const TransactionHistory::Header& header = history.header(version.writer);
    timed.push_back({.key = version.key, .version = i, .begin = header.begin, .end = header.end});
  }
  std::ranges::sort(timed, [](const TimedVersion& a, const TimedVersion& b) {
    return a.key != b.key ? a.key < b.key : a.begin < b.begin;
  });
  return timed;
}

/// Those of one key, in the order of their begin.
void add_of_key(std::span<const TimedVersion> timed, std::vector<Succession>& known) {
  std::vector<std::uint64_t> first_end(timed.size() + 1, UINT64_MAX);  // Of all from there on.
  for (std::size_t i = timed.size(); i-- > 0;) {
    first_end[i] = std::min(first_end[i + 1], timed[i].end);
  }
  for (const TimedVersion& version : timed) {
    const auto after = std::ranges::upper_bound(timed, version.end, {}, &TimedVersion::begin);
    const auto from = static_cast<std::size_t>(after - timed.begin());
    for (std::size_t i = from; i < timed.size() && timed[i].begin <= first_end[from]; ++i) {
      ASHLAR_ASSERT(timed[i].begin > version.end, "what follows began after what it follows");
      known.push_back({.version = version.version, .next = timed[i].version, .is_by_time = true});
    }
  }
}

}  // namespace

void add_first_versions(const Evidence& evidence, std::vector<Succession>& known) {
  std::vector<bool> has_predecessor(evidence.versions.count(), false);
  for (const Succession& succession : known) has_predecessor[succession.next] = true;
  for (const TimedVersion& timed : timed_versions(evidence)) {
    if (has_predecessor[timed.version]) continue;
    ASHLAR_ASSERT(evidence.versions[timed.key].writer == kNoNumber,
                  "the initial version has the number of its key");
    known.push_back({.version = timed.key, .next = timed.version});
  }
}

void add_successions_by_time(const Evidence& evidence, std::vector<Succession>& known) {
  const std::vector<TimedVersion> timed = timed_versions(evidence);
  for (std::size_t begin = 0; begin < timed.size();) {
    std::size_t end = begin;
    while (end < timed.size() && timed[end].key == timed[begin].key) ++end;
    add_of_key(std::span(timed).subspan(begin, end - begin), known);
    begin = end;
  }
}

}  // namespace ashlar::testing
