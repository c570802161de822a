// The text form: a line a row, key and value in quotes, printable ASCII and nothing else.

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/assert.h"
#include "cli/dump_form.h"
#include "cli/quoted.h"

namespace ashlar::cli {
namespace {

constexpr std::string_view kEnd = "# end ";

// A row of the longest key and value, each byte escaped.
constexpr std::size_t kLineBytesMax = 4 * (kKeyBytesHardMax + kValueBytesHardMax) + 100;

/// Takes what `append_quoted` wrote from the front of `line`. Returns: false for anything else (U3)
bool take_quoted(std::string_view& line, std::string& bytes) {
  bytes.clear();
  if (!line.starts_with('"')) return false;
  std::size_t i = 1;
  for (; i < line.size() && line[i] != '"'; ++i) {
    if (is_plain(line[i])) {
      bytes.push_back(line[i]);
      continue;
    }
    if (line[i] != '\\' || i + 1 >= line.size()) return false;
    const char kind = line[++i];
    if (kind == '"' || kind == '\\') {
      bytes.push_back(kind);
      continue;
    }
    if (kind != 'x' || i + 2 >= line.size()) return false;
    const std::size_t high = kHexDigits.find(line[i + 1]);
    const std::size_t low = kHexDigits.find(line[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    const auto byte = static_cast<char>(static_cast<unsigned char>(high << 4U | low));
    if (is_plain(byte) || byte == '"' || byte == '\\') return false;  // Has a shorter form.
    bytes.push_back(byte);
    i += 2;
  }
  if (i >= line.size()) return false;
  line.remove_prefix(i + 1);
  return true;
}

std::string end_line(const DumpTotal& total) {
  char text[64];
  std::snprintf(text, sizeof(text), "%llu %016llx\n",
                static_cast<unsigned long long>(total.row_count),
                static_cast<unsigned long long>(total.checksum));
  return std::string(kEnd) + text;
}

/// Takes a deadline as `std::to_string` writes it, which must end the line.
bool take_deadline(std::string_view line, std::int64_t& deadline_ms) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), deadline_ms);
  return error == std::errc() && end == line.data() + line.size() &&
         deadline_ms != Expiry::kNeverMs && std::to_string(deadline_ms) == line;
}

class TextWriter final : public DumpWriter {
 public:
  void append_begin(std::string& to) override { to.append(kTextBegin); }
  void append_row(std::string& to, const DumpRow& row) override {
    total_.add(row);
    append_quoted(to, row.key);
    to.push_back(' ');
    append_quoted(to, row.value);
    if (row.has_deadline()) to.append(" ").append(std::to_string(row.deadline_ms));
    to.push_back('\n');
  }
  void append_end(std::string& to) override { to.append(end_line(total_)); }

 private:
  DumpTotal total_;
};

class TextReader final : public DumpReader {
 public:
  explicit TextReader(DumpInput& input) noexcept : input_(input) {}

  Result<std::optional<DumpRow>> next() override {
    if (has_ended_) return std::nullopt;
    if (line_number_ == 0) {
      ASHLAR_TRY(read_line());
      if (line_ != kTextBegin) return damaged("is not the first line of a dump of version 1");
    }
    ASHLAR_TRY(read_line());
    if (line_.starts_with(kEnd)) return read_end();
    DumpRow row;
    std::string_view line = line_.substr(0, line_.size() - 1);
    bool is_good = take_quoted(line, key_) && line.starts_with(' ');
    if (is_good) line.remove_prefix(1);
    is_good = is_good && take_quoted(line, value_);
    if (is_good && !line.empty()) {
      is_good = line.starts_with(' ') && take_deadline(line.substr(1), row.deadline_ms);
    }
    if (!is_good) return damaged("is not a row");
    row.key = key_;
    row.value = value_;
    total_.add(row);
    return row;
  }

 private:
  std::unexpected<Error> damaged(const std::string& what) const {
    return std::unexpected(
        Error(ErrorCode::kCorruption, "line " + std::to_string(line_number_) + " " + what));
  }

  /// Makes `line_` the next one, with its end.
  Result<void> read_line() {
    input_.take(line_.size());
    line_ = {};
    ++line_number_;
    std::size_t searched = 0;
    while (true) {
      const std::size_t end = input_.bytes().find('\n', searched);
      if (end != std::string_view::npos) {
        line_ = input_.bytes().substr(0, end + 1);
        return {};
      }
      searched = input_.bytes().size();
      if (searched > kLineBytesMax) return damaged("is longer than any row");
      ASHLAR_TRY_ASSIGN(const bool has_more, input_.fetch_more());
      if (!has_more) {
        return damaged(searched == 0 ? "is missing: the dump ends before its closing line"
                                     : "is cut short");
      }
    }
  }

  Result<std::optional<DumpRow>> read_end() {
    if (line_ != end_line(total_)) {
      return damaged("closes a dump of other rows than the " + std::to_string(total_.row_count) +
                     " before it");
    }
    input_.take(line_.size());
    line_ = {};
    ++line_number_;
    ASHLAR_TRY_ASSIGN(const bool has_more, input_.fetch(1));
    if (has_more) return damaged("stands behind the end of the dump");
    has_ended_ = true;
    return std::nullopt;
  }

  DumpInput& input_;
  std::string_view line_;  // At the front of the input, taken with the next one.
  std::uint64_t line_number_ = 0;
  std::string key_;
  std::string value_;
  DumpTotal total_;
  bool has_ended_ = false;
};

}  // namespace

std::unique_ptr<DumpWriter> make_text_writer() {
  return std::make_unique<TextWriter>();
}

std::unique_ptr<DumpReader> make_text_reader(DumpInput& input) {
  return std::make_unique<TextReader>(input);
}

}  // namespace ashlar::cli
