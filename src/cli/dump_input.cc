#include <algorithm>

#include "base/assert.h"
#include "cli/dump_form.h"

namespace ashlar::cli {
namespace {

// So much is fetched at a time.
constexpr std::size_t kPieceBytes = std::size_t{256} << 10U;

}  // namespace

Result<bool> DumpInput::fetch_more() {
  // What was taken makes room, once it is the greater part: each byte is moved once at most.
  if (begin_ > buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  const std::size_t had = buffer_.size();
  buffer_.resize(had + kPieceBytes);
  auto got = source_(std::span(buffer_).subspan(had));
  buffer_.resize(had + got.value_or(0));
  if (!got) return std::unexpected(std::move(got).error());
  return *got > 0;
}

Result<bool> DumpInput::fetch(std::size_t bytes) {
  while (buffer_.size() - begin_ < bytes) {
    ASHLAR_TRY_ASSIGN(const bool has_more, fetch_more());
    if (!has_more) return false;
  }
  return true;
}

void DumpInput::take(std::size_t bytes) noexcept {
  ASHLAR_ASSERT(bytes <= buffer_.size() - begin_, "what is taken was at hand");
  begin_ += bytes;
  offset_ += bytes;
}

Result<std::unique_ptr<DumpReader>> make_reader(DumpInput& input, std::optional<DumpForm> form) {
  ASHLAR_TRY(input.fetch(kBinaryMagic.size()));
  if (!form && input.bytes().starts_with(kBinaryMagic)) form = DumpForm::kBinary;
  if (!form && input.bytes().starts_with("# ashlar")) form = DumpForm::kText;
  if (!form) {
    return std::unexpected(
        Error::of_literal(ErrorCode::kCorruption, "offset 0: this does not begin as a dump does"));
  }
  return *form == DumpForm::kText ? make_text_reader(input) : make_binary_reader(input);
}

}  // namespace ashlar::cli
