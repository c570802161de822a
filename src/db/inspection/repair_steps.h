/// \file
/// The part of a repair that moves things about, written down so that it can be taken up again: the
/// content of `FORMAT` while it happens. Layout: docs/formats/directory.md.
///
/// Invariants:
///   I4  While `FORMAT` holds steps no database opens the directory. Before they stand there
///       nothing that counts was changed; once they do, everything that they need is durable.
///   I5  Running steps again, in part or whole, does no more than running them once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/options.h"
#include "ashlar/result.h"
#include "os/disk.h"

namespace ashlar::db {

/// One change of a name. All names are relative to the directory, like "log/ring".
struct RepairStep {
  enum class Kind : std::uint8_t {
    kReplace,  ///< By the file of the same name and kRepairedSuffix.
    kRemove,
  };
  Kind kind = Kind::kReplace;
  std::string name;
};

/// All that a repair still has to do.
struct RepairSteps {
  Engine engine = Engine::kMemory;  ///< Of the directory.
  std::vector<RepairStep> list;
};

/// A step in words, as `FORMAT` has it: "replace log/ring".
std::string words_of(const RepairStep& step);

/// The steps as the content of `FORMAT`.
std::string encode_repair_steps(const RepairSteps& steps);

/// Returns: nullopt when `text` is not what `encode_repair_steps` gives, or names anything but a
/// segment, the ring and, as the engine has them, checkpoints or manifests and tables
std::optional<RepairSteps> decode_repair_steps(std::string_view text);

/// Takes the steps and makes the directory's `FORMAT` good again.
///
/// Errors: kIo, kOutOfSpace  some were taken: the same can be done again
Result<void> run_repair_steps(os::Disk& disk, const std::string& directory,
                              const RepairSteps& steps);

}  // namespace ashlar::db
