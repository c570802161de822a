/// \file
/// Bugs inside the library that campaigns must find. A campaign's planted twin has its own build of
/// the sources concerned, in the place of those of the library (plants.cc); the campaign itself,
/// and everything that is shipped, has none of it (no_plants.cc).
#pragma once

#include <string_view>

namespace ashlar::crash {

/// Switches the bug `name` on, for good; an empty name means none.
///
/// Returns: false when this program has no such bug
bool plant_bug(std::string_view name);

/// The same for the bugs of the disk engine (plants_tables.cc), which `plant_bug` knows as well.
bool plant_table_bug(std::string_view name);

/// And for those of transactions (plants_transactions.cc).
bool plant_transaction_bug(std::string_view name);

/// And for that of the change stream (plants_changes.cc).
bool plant_change_bug(std::string_view name);

}  // namespace ashlar::crash
