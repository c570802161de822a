/// \file
/// An ordered walk as the engines provide it. The public `Iterator` is a thin handle over one.
#pragma once

#include <string_view>

#include "ashlar/result.h"

namespace ashlar::engine {

/// Walks the keys of one range at one view. The contracts are those of `ashlar::Iterator`.
///
/// Threads: externally synchronised.
class Cursor {
 public:
  Cursor() = default;
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  virtual ~Cursor() = default;

  virtual void seek_to_first() = 0;
  virtual void seek_to_last() = 0;
  virtual void seek(std::string_view key) = 0;
  virtual void seek_for_previous(std::string_view key) = 0;
  virtual void next() = 0;
  virtual void previous() = 0;
  virtual bool is_valid() const noexcept = 0;
  virtual std::string_view key() const noexcept = 0;
  virtual std::string_view value() const noexcept = 0;

  /// Errors: kOutOfSpace  memory for the walk could not be had; the cursor is then invalid
  virtual Result<void> status() const = 0;
};

}  // namespace ashlar::engine
