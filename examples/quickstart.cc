// The whole API in one sitting: write, read, batch, expire, scan, hold a snapshot, meet a limit.
#include <ashlar/db.h>

#include <chrono>
#include <iostream>
#include <string>

using ashlar::Db;
using ashlar::Expiry;
using ashlar::Range;
using ashlar::Result;
using ashlar::WriteBatch;

namespace {

Result<void> tour(Db& db) {
  ASHLAR_TRY(db.put("stone:1", "rough"));
  ASHLAR_TRY_ASSIGN(auto stone, db.get("stone:1"));  // Absence is a value: an empty optional.
  if (stone) std::cout << "stone:1 is " << stone->view() << '\n';

  WriteBatch batch;  // All of it happens, or nothing.
  batch.put("stone:1", "dressed");
  batch.put("stone:2", "rough");
  batch.put("stone:3", "rough");
  ASHLAR_TRY(db.write(batch));

  ASHLAR_TRY(db.put("lunch", "bread", Expiry::in(std::chrono::minutes(30))));
  ASHLAR_TRY_ASSIGN(auto left, db.time_to_live("lunch"));
  if (left) std::cout << "lunch is over in " << left->count() << " ms or less\n";

  ASHLAR_TRY_ASSIGN(auto before, db.snapshot());
  ASHLAR_TRY_ASSIGN(bool was_there, db.erase("stone:2"));
  ASHLAR_TRY_ASSIGN(bool is_there, db.exists("stone:2"));
  ASHLAR_TRY_ASSIGN(bool is_there_before, db.exists("stone:2", &before));
  std::cout << "stone:2: erased " << was_there << ", there now " << is_there << ", at the snapshot "
            << is_there_before << '\n';

  ASHLAR_TRY_ASSIGN(auto rows, db.scan(Range::prefix("stone:")));
  for (rows.seek_to_first(); rows.is_valid(); rows.next()) {
    std::cout << rows.key() << " is " << rows.value() << '\n';
  }
  ASHLAR_TRY(rows.status());

  auto refused = db.put(std::string(5000, 'k'), "value");  // An error says what to do about it.
  if (!refused) std::cout << "refused: " << refused.error().message() << '\n';

  ASHLAR_TRY_ASSIGN(auto stats, db.stats());
  std::cout << stats.key_count << " keys in " << stats.memory_bytes << " bytes\n";
  return {};
}

}  // namespace

int main() {
  auto db = Db::open({.memory_budget_bytes = std::size_t{64} << 20U});
  if (!db) return 1;
  if (auto done = tour(*db); !done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
  return db->close() ? 0 : 1;
}
