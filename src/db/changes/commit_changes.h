/// \file
/// A frame of the log as those see it who follow changes.
#pragma once

#include "ashlar/changes.h"
#include "log/frame.h"

namespace ashlar::db {

/// Makes `changes` those of `frame`, which is one of a commit. Their bytes are views of the frame.
///
/// Returns: false when the payload makes no sense
bool take_apart(const log::Frame& frame, CommitChanges& changes);

}  // namespace ashlar::db
