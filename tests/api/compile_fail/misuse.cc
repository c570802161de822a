// Misuse of the API, one case a block; each must not compile, and the file without any of them
// must. The list of cases, with the reason that the compiler has to give, is in ../CMakeLists.txt.

#include <ashlar/db.h>

#include <string_view>

using ashlar::Db;
using ashlar::Error;
using ashlar::Expiry;
using ashlar::Iterator;
using ashlar::Options;
using ashlar::Snapshot;

void use(Db& db, const Db& frozen, Snapshot& snapshot, Iterator& rows) {
#ifdef MISUSE_COPY_DB
  Db copy(db);
#endif
#ifdef MISUSE_COPY_ITERATOR
  Iterator copy(rows);
#endif
#ifdef MISUSE_COPY_SNAPSHOT
  Snapshot copy(snapshot);
#endif
#ifdef MISUSE_INVENT_SNAPSHOT
  Snapshot invented(*static_cast<ashlar::engine::StorageEngine*>(nullptr), 7, 0);
#endif
#ifdef MISUSE_SNAPSHOT_BY_REFERENCE
  (void)db.get("key", snapshot);
#endif
#ifdef MISUSE_EXPIRY_FROM_NUMBER
  Expiry expiry = 5000;
#endif
#ifdef MISUSE_PUT_UNTIL_NUMBER
  (void)db.put("key", "value", 5000);
#endif
#ifdef MISUSE_DELAY_WITHOUT_UNIT
  (void)Expiry::in(5000);
#endif
#ifdef MISUSE_POLICY_FROM_NUMBER
  Options given{.memory_policy = 1};
#endif
#ifdef MISUSE_RESULT_AS_ANSWER
  bool is_there = db.exists("key");
#endif
#ifdef MISUSE_ABSENCE_AS_VALUE
  std::string_view value = *db.get("key");
#endif
#ifdef MISUSE_WRITE_THROUGH_CONST
  (void)frozen.put("key", "value");
#endif
#ifdef MISUSE_ERROR_WITHOUT_CODE
  Error error;
#endif

  // The right way to say the same.
  Db moved(std::move(db));
  (void)moved.put("key", "value", Expiry::in(std::chrono::milliseconds(5000)));
  (void)frozen.get("key", &snapshot);
  rows.seek("key");
  [[maybe_unused]] const Options options{.memory_policy = ashlar::MemoryPolicy::kEvict};
}
