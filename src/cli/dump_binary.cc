// The binary form: lengths in front of bytes, nothing escaped.

#include "base/assert.h"
#include "cli/dump_form.h"

namespace ashlar::cli {
namespace {

enum class Kind : char { kEnd = 0, kRow = 1, kRowWithDeadline = 2 };

constexpr std::size_t kEndBytes = 1 + 8 + 8;

// Kind, two lengths and a deadline.
constexpr std::size_t kRowHeaderBytesMax = 1 + 2 * base::kVarintBytesMax + 8;

class BinaryWriter final : public DumpWriter {
 public:
  void append_begin(std::string& to) override { to.append(kBinaryBegin); }
  void append_row(std::string& to, const DumpRow& row) override {
    ASHLAR_ASSERT(row.key.size() <= kKeyBytesHardMax, "a key is within its limit");
    ASHLAR_ASSERT(row.value.size() <= kValueBytesHardMax, "a value is within its limit");
    total_.add(row);
    const Kind kind = row.has_deadline() ? Kind::kRowWithDeadline : Kind::kRow;
    to.push_back(static_cast<char>(kind));
    base::append_varint(to, row.key.size());
    base::append_varint(to, row.value.size());
    if (row.has_deadline()) base::append_number(to, row.deadline_ms);
    to.append(row.key).append(row.value);
  }
  void append_end(std::string& to) override {
    to.push_back(static_cast<char>(Kind::kEnd));
    base::append_number(to, total_.row_count);
    base::append_number(to, total_.checksum);
  }

 private:
  DumpTotal total_;
};

class BinaryReader final : public DumpReader {
 public:
  explicit BinaryReader(DumpInput& input) noexcept : input_(input) {}

  Result<std::optional<DumpRow>> next() override {
    if (has_ended_) return std::nullopt;
    if (input_.offset() == 0) {
      ASHLAR_TRY(input_.fetch(kBinaryBegin.size()));
      if (!input_.bytes().starts_with(kBinaryBegin)) {
        return damaged("no dump of version 1 begins like this");
      }
      row_bytes_ = kBinaryBegin.size();
    }
    input_.take(row_bytes_);
    row_bytes_ = 0;
    ASHLAR_TRY(input_.fetch(kRowHeaderBytesMax));
    std::string_view bytes = input_.bytes();
    if (bytes.empty()) return damaged("the dump ends before its closing record");
    const auto kind = static_cast<Kind>(bytes.front());
    if (kind == Kind::kEnd) return read_end();
    if (kind != Kind::kRow && kind != Kind::kRowWithDeadline) return damaged("is not a row");
    return read_row(kind);
  }

 private:
  std::unexpected<Error> damaged(const std::string& what) const {
    return std::unexpected(
        Error(ErrorCode::kCorruption, "offset " + std::to_string(input_.offset()) + ": " + what));
  }

  Result<std::optional<DumpRow>> read_row(Kind kind) {
    std::string_view rest = input_.bytes().substr(1);
    std::uint64_t key_bytes = 0;
    std::uint64_t value_bytes = 0;
    DumpRow row;
    bool is_good = base::take_varint(rest, key_bytes) && base::take_varint(rest, value_bytes);
    if (kind == Kind::kRowWithDeadline) {
      is_good = is_good && base::take_number(rest, row.deadline_ms) && row.has_deadline();
    }
    is_good = is_good && key_bytes <= kKeyBytesHardMax && value_bytes <= kValueBytesHardMax;
    if (!is_good) return damaged("is not a row, or is cut short");
    const std::size_t header_bytes = input_.bytes().size() - rest.size();
    row_bytes_ = header_bytes + key_bytes + value_bytes;
    ASHLAR_TRY_ASSIGN(const bool is_whole, input_.fetch(row_bytes_));
    if (!is_whole) {
      row_bytes_ = 0;
      return damaged("the row is cut short");
    }
    row.key = input_.bytes().substr(header_bytes, key_bytes);
    row.value = input_.bytes().substr(header_bytes + key_bytes, value_bytes);
    total_.add(row);
    return row;
  }

  Result<std::optional<DumpRow>> read_end() {
    if (input_.bytes().size() < kEndBytes) return damaged("the closing record is cut short");
    const DumpTotal told{.row_count = base::load_number<std::uint64_t>(input_.bytes().data() + 1),
                         .checksum = base::load_number<std::uint64_t>(input_.bytes().data() + 9)};
    if (told != total_) {
      return damaged("closes a dump of other rows than the " + std::to_string(total_.row_count) +
                     " before it");
    }
    input_.take(kEndBytes);
    ASHLAR_TRY_ASSIGN(const bool has_more, input_.fetch(1));
    if (has_more) return damaged("something stands behind the end of the dump");
    has_ended_ = true;
    return std::nullopt;
  }

  DumpInput& input_;
  std::size_t row_bytes_ = 0;  // At the front of the input, taken with the next row.
  DumpTotal total_;
  bool has_ended_ = false;
};

}  // namespace

std::unique_ptr<DumpWriter> make_binary_writer() {
  return std::make_unique<BinaryWriter>();
}

std::unique_ptr<DumpReader> make_binary_reader(DumpInput& input) {
  return std::make_unique<BinaryReader>(input);
}

}  // namespace ashlar::cli
