/// \file
/// How every call reports: a `Result<T>` holds the answer, or an `Error` that says what to do next.
///
/// Absence is not an error: a call that may find nothing returns `Result<std::optional<T>>` or
/// `Result<bool>`.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ashlar {

/// What the caller should do about a failure. The list is closed: no layer adds codes of its own.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  ///< The call can never succeed as it stands: correct the argument it names.
  kOutOfSpace,       ///< A budget or the memory of the machine is used up: free some, then retry.
  kConflict,         ///< Another commit came between, or a deadlock: run the transaction again.
  kBusy,             ///< Something else holds what is needed: finish that, then retry.
  kUnavailable,      ///< Not possible in the state the database is in: the message says why.
  kClosed,           ///< The database was closed: open it again.
  kIo,               ///< The operating system failed: the message names the file and the call.
  kCorruption,       ///< Stored bytes are damaged: the message names the file and the offset.
};

/// The name of `code` as it is written above, without the leading k: "InvalidArgument".
std::string_view error_code_name(ErrorCode code) noexcept;

/// A failure: what to do about it, and a sentence that names the key, file or limit in question.
///
/// Threads: immutable after construction.
class Error {
 public:
  /// An error with a message put together at run time.
  ///
  /// Cost: one allocation; where even that fails, the message is replaced by a fixed one.
  Error(ErrorCode code, std::string message) noexcept;

  /// An error whose message is a literal. Never allocates, so it can report that memory ran out.
  ///
  /// Lifetime: `literal` must live for ever, as a string literal does.
  static Error of_literal(ErrorCode code, const char* literal) noexcept { return {code, literal}; }

  Error(const Error& other) noexcept;
  Error& operator=(const Error& other) noexcept;
  Error(Error&& other) noexcept = default;
  Error& operator=(Error&& other) noexcept = default;
  ~Error() = default;

  ErrorCode code() const noexcept { return code_; }

  /// The sentence for a person to read.
  ///
  /// Lifetime: the view dies with this error.
  std::string_view message() const noexcept;

 private:
  Error(ErrorCode code, const char* literal) noexcept : literal_(literal), code_(code) {}

  std::unique_ptr<const std::string> text_;  // Null when the message is `literal_`.
  const char* literal_ = nullptr;
  ErrorCode code_;
};

/// Either the answer or the reason why there is none.
template <typename T>
using Result = std::expected<T, Error>;

}  // namespace ashlar

/// Returns from the calling function with the error of `expression`, if it has one.
#define ASHLAR_TRY(expression)                                  \
  do {                                                          \
    if (auto ashlar_result = (expression); !ashlar_result) {    \
      return std::unexpected(std::move(ashlar_result).error()); \
    }                                                           \
  } while (false)

#define ASHLAR_TRY_JOIN(left, right) left##right
#define ASHLAR_TRY_NAME(left, right) ASHLAR_TRY_JOIN(left, right)
#define ASHLAR_TRY_ASSIGN_TO(result, declaration, expression)     \
  auto result = (expression);                                     \
  if (!result) return std::unexpected(std::move(result).error()); \
  declaration = std::move(*result)

/// Declares `declaration` from the answer of `expression`, or returns with its error.
#define ASHLAR_TRY_ASSIGN(declaration, expression) \
  ASHLAR_TRY_ASSIGN_TO(ASHLAR_TRY_NAME(ashlar_result_, __LINE__), declaration, expression)
