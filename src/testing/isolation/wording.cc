#include "testing/isolation/wording.h"

#include "base/assert.h"

namespace ashlar::testing {
namespace {

std::string outcome_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCommitted:
      return "committed";
    case Outcome::kAborted:
      return "aborted";
    case Outcome::kUnknown:
      return "killed while it committed";
  }
  return {};
}

bool is_printable(char c) {
  return c > ' ' && c <= '~';
}

}  // namespace

std::string Wording::transaction(std::uint32_t transaction) const {
  ASHLAR_ASSERT(transaction < history_.count(), "the transaction is of this history");
  return "T" + std::to_string(transaction);
}

std::string Wording::introduction(std::uint32_t number) const {
  const TransactionHistory::Header& header = history_.header(number);
  const std::string end = header.end == kNeverEnded ? "its kill" : std::to_string(header.end);
  return "  " + transaction(number) + ": session " + std::to_string(header.session) + ", " +
         std::to_string(header.begin) + " to " + end + ", " + outcome_text(header.outcome) + "\n";
}

std::string Wording::key(std::uint32_t key) const {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : history_.key_name(key)) {
    if (is_printable(c)) {
      text += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    text.append("%") += kDigits[byte >> 4U];
    text += kDigits[byte & 0xfU];
  }
  return text;
}

std::string Wording::content(std::uint32_t number) const {
  ASHLAR_ASSERT(number < versions_.count(), "the version is of this history");
  const Version& version = versions_[number];
  if (version.writer == kNoNumber) return "the absence";
  if (version.value == kAbsent) return "the erasure";
  return (is_list(version.key) ? "element " : "value ") + std::to_string(version.value);
}

std::string Wording::version(std::uint32_t number) const {
  return content(number) + " of " + key(versions_[number].key);
}

std::string Wording::making(std::uint32_t number) const {
  const Version& version = versions_[number];
  ASHLAR_ASSERT(version.writer != kNoNumber, "nobody made an initial version");
  const char* const verb = version.value == kAbsent ? " erased"
                           : is_list(version.key)   ? " appended"
                                                    : " wrote";
  return transaction(version.writer) + verb;
}

bool Wording::is_list(std::uint32_t key) const {
  return history_.role(key) == TransactionHistory::Role::kList;
}

}  // namespace ashlar::testing
