/// \file
/// One write as the engines see it: views of bytes that the caller keeps alive for the call.
#pragma once

#include <cstdint>
#include <string_view>

#include "ashlar/expiry.h"

namespace ashlar::engine {

/// Milliseconds since 1970-01-01 UTC, on the clock that the engine was given.
using TimeMs = std::int64_t;

/// The deadline of a key that never expires.
inline constexpr TimeMs kNever = Expiry::kNeverMs;

enum class OperationKind : std::uint8_t {
  kPut,
  kErase,
  kPutApart,  ///< A put whose value stands elsewhere: `value` refers to it (value_reference.h).
              ///< Within an engine only, which makes it of a put that has got into its log.
};

struct Operation {
  OperationKind kind = OperationKind::kPut;
  std::string_view key;
  std::string_view value;       ///< Of a put; empty for an erase.
  TimeMs deadline_ms = kNever;  ///< Of a put.
};

}  // namespace ashlar::engine
