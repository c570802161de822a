/// \file
/// Reading one key and writing it as one step: what would otherwise be a transaction, and a loop
/// around it, in one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ashlar/db.h"

namespace ashlar {

/// No other write of the key, of whatever kind, comes between what a call here sees and what it
/// makes of it. It never fails with kConflict: where another write came between it looks again, so
/// each time somebody else has got on; and where that happens again and again it takes the lock of
/// the key (`Transaction::lock`), which puts those who do so in a queue. It waits for a transaction
/// that holds the lock for a moment only, and then goes on without.
///
/// A key past its deadline is absent. Deadlines are judged by the moment at which the call looks.
/// An answer by which nothing was changed is as durable as was asked all the same: what it has
/// seen survives what `durability` names.
///
/// Errors common to all: those of `Db`, those of its writes with a directory, and
///   kOutOfSpace  the memory budget is used up; or it has no room for what transactions have in
///                common, see `Db::begin`. Nothing was changed
///
/// Cost:    a `get`, a `put`, a snapshot and one look at whether they were one step. While it
///          lasts, other writes tell of their keys, as for any transaction
/// Threads: as the methods of `Db`.

/// Stores `value` under `key` where there is none.
///
/// Returns: true when it did; false when the key was there, which then is as it was
/// Errors:  the common ones
Result<bool> put_if_absent(Db& db, std::string_view key, std::string_view value,
                           Expiry expiry = Expiry::never(),
                           Durability durability = Durability::kDisk);

/// Stores `desired` under `key` where its value is `expected`, with the deadline `expiry`.
///
/// Input:   expected  nullopt: that the key is absent
///          desired   nullopt: that the key be erased
/// Returns: true when it was as expected, and is as desired; false when it was not, and is as it
///          was
/// Errors:  the common ones
Result<bool> compare_and_set(Db& db, std::string_view key, std::optional<std::string_view> expected,
                             std::optional<std::string_view> desired,
                             Expiry expiry = Expiry::never(),
                             Durability durability = Durability::kDisk);

/// Adds `by` to the number under `key`, which keeps its deadline. A key that is absent counts as 0.
///
/// A number is written in decimal digits, after a minus where it is below 0, with no zeros in front
/// and nothing else: from -9223372036854775808 to 9223372036854775807.
///
/// Returns: the new number
/// Errors:  kInvalidArgument  the value is no such number, or the sum would be none: names the key;
///                            nothing was changed
Result<std::int64_t> increment(Db& db, std::string_view key, std::int64_t by = 1,
                               Durability durability = Durability::kDisk);

/// Puts `suffix` behind the value of `key`, which keeps its deadline. A key that is absent gets
/// `suffix` as its value.
///
/// Returns: how long the value is now, in bytes
/// Errors:  kInvalidArgument  the value would be above `Options::value_bytes_max`: names the key;
///                            nothing was changed
/// Cost:    reads and writes the whole value
Result<std::size_t> append(Db& db, std::string_view key, std::string_view suffix,
                           Durability durability = Durability::kDisk);

}  // namespace ashlar
