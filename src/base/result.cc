// Errors that can be made and copied where no memory is left: the message may be lost then, the
// code never is.

#include "ashlar/result.h"

#include <new>

#include "base/assert.h"

namespace ashlar {
namespace {

// Takes the place of a message for which there was no memory.
constexpr const char* kMessageLost = "(no memory was left for the message of this error)";

/// Null when there is no memory for it.
std::unique_ptr<const std::string> try_hold(std::string text) noexcept {
  try {
    return std::make_unique<const std::string>(std::move(text));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

/// Null when there is nothing to copy, or no memory for it.
std::unique_ptr<const std::string> try_copy(const std::string* text) noexcept {
  if (text == nullptr) return nullptr;
  try {
    return std::make_unique<const std::string>(*text);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

std::string_view error_code_name(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "InvalidArgument";
    case ErrorCode::kOutOfSpace:
      return "OutOfSpace";
    case ErrorCode::kConflict:
      return "Conflict";
    case ErrorCode::kBusy:
      return "Busy";
    case ErrorCode::kUnavailable:
      return "Unavailable";
    case ErrorCode::kClosed:
      return "Closed";
    case ErrorCode::kIo:
      return "Io";
    case ErrorCode::kCorruption:
      return "Corruption";
  }
  base::assert_failed("code", "an error code is one of the closed list", __FILE__, __LINE__);
}

Error::Error(ErrorCode code, std::string message) noexcept
    : text_(try_hold(std::move(message))), literal_(text_ ? nullptr : kMessageLost), code_(code) {}

Error::Error(const Error& other) noexcept
    : text_(try_copy(other.text_.get())), literal_(other.literal_), code_(other.code_) {
  if (other.text_ && !text_) literal_ = kMessageLost;
}

Error& Error::operator=(const Error& other) noexcept {
  if (this != &other) *this = Error(other);
  return *this;
}

std::string_view Error::message() const noexcept {
  if (text_) return *text_;
  if (literal_ != nullptr) return literal_;
  return {};  // Moved from.
}

}  // namespace ashlar
