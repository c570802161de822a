#include "testing/isolation/history_text.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/assert.h"

namespace ashlar::testing {
namespace {

// The letter of a line, by the kind of its operation.
constexpr std::string_view kLetters = "alwres";

Error malformed(std::string_view what) {
  return {ErrorCode::kCorruption, "history: " + std::string(what)};
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == ':';
}

void append_key(std::string_view key, std::string& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (key.empty()) text += '%';
  for (const char c : key) {
    if (is_plain(c)) {
      text += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    text += '%';
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xfU];
  }
}

void append_number(std::uint64_t number, std::string& text) {
  std::array<char, 20> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  ASHLAR_ASSERT(error == std::errc(), "20 digits hold every number of 64 bits");
  text.append(digits.data(), end);
}

/// The text up to the next `separator`, taken off the front of `rest`.
std::string_view take_word(std::string_view& rest, char separator = ' ') {
  const std::size_t end = rest.find(separator);
  const std::string_view word = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return word;
}

std::optional<std::uint64_t> number_of(std::string_view word, int base = 10) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, base);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

std::optional<std::string> key_of(std::string_view word) {
  if (word.empty()) return std::nullopt;
  if (word == "%") return std::string();
  std::string key;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%') {
      if (!is_plain(word[i])) return std::nullopt;
      key += word[i];
      continue;
    }
    const auto byte = number_of(word.substr(i + 1, 2), 16);
    if (!byte || word.size() < i + 3) return std::nullopt;
    key += static_cast<char>(*byte);
    i += 2;
  }
  return key;
}

bool take_elements(std::string_view rest, std::vector<std::uint64_t>& elements) {
  while (!rest.empty()) {
    const auto element = number_of(take_word(rest));
    if (!element) return false;
    elements.push_back(*element);
  }
  return true;
}

bool take_found(std::string_view rest, std::vector<FoundRegister>& found) {
  while (!rest.empty()) {
    std::string_view word = take_word(rest);
    auto key = key_of(take_word(word, '='));
    const auto value = number_of(word);
    if (!key || !value) return false;
    found.push_back({.key = std::move(*key), .value = *value});
  }
  return true;
}

/// Fills `operation`, whose kind and key are known, from what follows the key.
bool take_arguments(std::string_view rest, Operation& operation) {
  switch (operation.kind) {
    case OperationKind::kAppend:
    case OperationKind::kWrite:
    case OperationKind::kRead: {
      const auto value = number_of(rest);
      operation.value = value.value_or(kAbsent);
      return value.has_value();
    }
    case OperationKind::kReadList:
      return take_elements(rest, operation.elements);
    case OperationKind::kErase:
      return rest.empty();
    case OperationKind::kReadRange: {
      auto last = key_of(take_word(rest));
      if (!last) return false;
      operation.last = std::move(*last);
      return take_found(rest, operation.found);
    }
  }
  return false;
}

}  // namespace

void append_begin_line(std::uint64_t begin, std::string& text) {
  text += "b ";
  append_number(begin, text);
  text += '\n';
}

void append_operation_line(const Operation& operation, std::string& text) {
  text += kLetters[static_cast<std::size_t>(operation.kind)];
  text += ' ';
  append_key(operation.key, text);
  switch (operation.kind) {
    case OperationKind::kAppend:
    case OperationKind::kWrite:
    case OperationKind::kRead:
      text += ' ';
      append_number(operation.value, text);
      break;
    case OperationKind::kReadList:
      for (const std::uint64_t element : operation.elements) {
        text += ' ';
        append_number(element, text);
      }
      break;
    case OperationKind::kErase:
      break;
    case OperationKind::kReadRange:
      text += ' ';
      append_key(operation.last, text);
      for (const FoundRegister& found : operation.found) {
        text += ' ';
        append_key(found.key, text);
        text += '=';
        append_number(found.value, text);
      }
      break;
  }
  text += '\n';
}

void append_commit_line(std::string& text) {
  text += "c\n";
}

void append_end_line(Outcome outcome, std::uint64_t end, std::string& text) {
  ASHLAR_ASSERT(outcome != Outcome::kUnknown, "only an outcome that is known is written");
  text += outcome == Outcome::kCommitted ? "C " : "A ";
  append_number(end, text);
  text += '\n';
}

Result<LineDecoder::Progress> LineDecoder::take(std::string_view line) {
  const char kind = line.empty() ? '\0' : line[0];
  if (line.size() > 1 && line[1] != ' ') return std::unexpected(malformed("no such event"));
  const std::string_view rest = line.size() > 2 ? line.substr(2) : std::string_view();
  if (kind == 'b') return take_begin(rest);
  if (kind == 'C' || kind == 'A') return take_end(kind, rest);
  if (state_ != State::kRunning) {
    return std::unexpected(malformed("an event outside of a transaction"));
  }
  if (kind == 'c' && line.size() == 1) {
    state_ = State::kCommitting;
  } else {
    ASHLAR_TRY(take_operation(kind, rest));
  }
  return Progress::kWithin;
}

Result<LineDecoder::Progress> LineDecoder::take_begin(std::string_view rest) {
  const auto begin = number_of(rest);
  if (!begin) return std::unexpected(malformed("a begin without its stamp"));
  if (is_open()) return std::unexpected(malformed("a begin within a transaction"));
  transaction_ = {.begin = *begin};
  state_ = State::kRunning;
  return Progress::kWithin;
}

Result<LineDecoder::Progress> LineDecoder::take_end(char kind, std::string_view rest) {
  const auto end = number_of(rest);
  if (!end) return std::unexpected(malformed("an end without its stamp"));
  const bool is_commit = kind == 'C';
  if (!is_open() || (is_commit && !is_committing())) {
    return std::unexpected(malformed("an end of what had not begun, or not asked to commit"));
  }
  transaction_.end = *end;
  transaction_.outcome = is_commit ? Outcome::kCommitted : Outcome::kAborted;
  state_ = State::kOutside;
  return Progress::kWhole;
}

Result<void> LineDecoder::take_operation(char kind, std::string_view rest) {
  ASHLAR_ASSERT(state_ == State::kRunning, "an operation is of a transaction that runs");
  const std::size_t letter = kLetters.find(kind);
  if (letter == std::string_view::npos) return std::unexpected(malformed("no such event"));
  auto key = key_of(take_word(rest));
  if (!key) return std::unexpected(malformed("a key that is none"));
  Operation operation;
  operation.kind = static_cast<OperationKind>(letter);
  operation.key = std::move(*key);
  if (!take_arguments(rest, operation)) {
    return std::unexpected(malformed("arguments that are none"));
  }
  transaction_.operations.push_back(std::move(operation));
  return {};
}

}  // namespace ashlar::testing
