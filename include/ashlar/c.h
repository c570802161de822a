/// \file
/// The database for C (C99 or later) and for bindings. It is the C++ API of `ashlar/db.h`, call by
/// call; what is said there holds here. Every handle is opaque.
///
/// Errors:   each call that can fail returns an `ashlar_code`; `ashlar_error* error` may be null,
///           and is written only on failure. All calls may return ASHLAR_INVALID_ARGUMENT (a length
///           is outside its limits) and ASHLAR_OUT_OF_SPACE (of memory, or of the disk), writes
///           also what `ashlar::Db` says of a log that failed; only others are listed below. An
///           absent key is not an error.
/// Threads:  one `ashlar_db` and one `ashlar_snapshot` may be used from many threads at the same
///           time; a batch, iterator or value from one at a time.
/// Lifetime: bytes handed in are borrowed for the call. Close the database last.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// NOLINTBEGIN(readability-identifier-naming, modernize-*, performance-enum-size): C has no
// namespaces, no `using` and no enumerations of a chosen size.
#ifdef __cplusplus
extern "C" {
#endif

/// What to do about a failure: `ashlar::ErrorCode`, moved up by one.
typedef enum ashlar_code {
  ASHLAR_OK = 0,
  ASHLAR_INVALID_ARGUMENT = 1,  ///< Correct the argument that the message names.
  ASHLAR_OUT_OF_SPACE = 2,      ///< Free some memory or budget, then retry.
  ASHLAR_CONFLICT = 3,          ///< Run the transaction again.
  ASHLAR_BUSY = 4,              ///< Finish what holds it, then retry.
  ASHLAR_UNAVAILABLE = 5,       ///< Not possible now: the message says why.
  ASHLAR_CLOSED = 6,            ///< Open the database again.
  ASHLAR_IO = 7,                ///< The operating system failed.
  ASHLAR_CORRUPTION = 8         ///< Stored bytes are damaged.
} ashlar_code;

/// The name of `code`: "Ok", "InvalidArgument". Lives for ever.
const char* ashlar_code_name(ashlar_code code);

/// Why a call failed. The message ends with NUL and is cut where it would be longer.
typedef struct ashlar_error {
  ashlar_code code;
  char message[252];
} ashlar_error;

/// Borrowed bytes of any content. `data` may be null when `size` is 0.
typedef struct ashlar_bytes {
  const char* data;
  size_t size;
} ashlar_bytes;

/// The bytes of a string that ends with NUL, without the NUL.
ashlar_bytes ashlar_text(const char* text);

/// A copy of one stored value. `data` is null when the key was absent, and never otherwise. What
/// was in it before a read is overwritten, not freed. `owner` is private.
typedef struct ashlar_value {
  const char* data;
  size_t size;
  void* owner;
} ashlar_value;

/// Frees what a read allocated and makes `value` absent. Allowed on an absent one, and on null.
void ashlar_value_free(ashlar_value* value);

typedef struct ashlar_db ashlar_db;
typedef struct ashlar_batch ashlar_batch;
typedef struct ashlar_snapshot ashlar_snapshot;
typedef struct ashlar_iterator ashlar_iterator;

/// A deadline is in milliseconds since 1970-01-01 UTC; the key is gone from it on. This is none.
#define ASHLAR_NEVER INT64_MAX

typedef enum ashlar_memory_policy { ASHLAR_REFUSE = 0, ASHLAR_EVICT = 1 } ashlar_memory_policy;

/// Where the rows are: `ashlar::Engine`.
typedef enum ashlar_engine { ASHLAR_IN_MEMORY = 0, ASHLAR_ON_DISK = 1 } ashlar_engine;

/// `ashlar::TableCompression`.
typedef enum ashlar_table_compression {
  ASHLAR_TABLES_PLAIN = 0,
  ASHLAR_TABLES_LZ4 = 1,
  ASHLAR_TABLES_ZSTD = 2
} ashlar_table_compression;

/// What a write survives once it has been acknowledged: `ashlar::Durability`.
typedef enum ashlar_durability {
  ASHLAR_DURABLE_NONE = 0,
  ASHLAR_DURABLE_PROCESS = 1,
  ASHLAR_DURABLE_DISK = 2
} ashlar_durability;

/// As `ashlar::Options`: same fields, ranges and defaults. A null or empty directory means a
/// database in memory; it is read while the database opens, and may go after that.
typedef struct ashlar_options {
  const char* directory;
  size_t key_bytes_max;
  size_t value_bytes_max;
  size_t memory_budget_bytes;
  ashlar_memory_policy memory_policy;
  ashlar_engine engine;
  ashlar_table_compression table_compression;
} ashlar_options;

/// Sets every field to its default. Call it first, so that fields of later versions have one too.
void ashlar_options_init(ashlar_options* options);

/// Opens a database. `options` may be null for the defaults.
///
/// Returns: `*db`, to be given to `ashlar_close`; null on failure
/// Errors:  ASHLAR_UNAVAILABLE  somebody has the directory open, or the system refuses address
///                              space or a thread
///          ASHLAR_CORRUPTION, ASHLAR_IO  of a file in the directory, which the message names
ashlar_code ashlar_open(const ashlar_options* options, ashlar_db** db, ashlar_error* error);

/// Ends the database and frees the handle; without a directory its content is gone. Null is
/// allowed. No other call on it may be running or follow.
///
/// Errors: ASHLAR_BUSY  snapshots or iterators are held; the database goes on and is not freed
ashlar_code ashlar_close(ashlar_db* db, ashlar_error* error);

/// The time on the clock of the database, to make deadlines from: `ashlar_now_ms(db) + 5000`.
int64_t ashlar_now_ms(const ashlar_db* db);

/// Stores `value` under `key` until `deadline_ms`, or for good with ASHLAR_NEVER.
ashlar_code ashlar_put(ashlar_db* db, ashlar_bytes key, ashlar_bytes value, int64_t deadline_ms,
                       ashlar_durability durability, ashlar_error* error);

/// Reads `key`, at the latest commit when `snapshot` is null.
///
/// Returns: `*value`, to be freed with `ashlar_value_free`; absent when the key is, or on failure
/// Cost:    as `Db::get` and one allocation
ashlar_code ashlar_get(const ashlar_db* db, ashlar_bytes key, const ashlar_snapshot* snapshot,
                       ashlar_value* value, ashlar_error* error);

/// Reads `count` keys at one moment into `values`, which has as many elements. Each is to be freed.
ashlar_code ashlar_multi_get(const ashlar_db* db, const ashlar_bytes* keys, size_t count,
                             const ashlar_snapshot* snapshot, ashlar_value* values,
                             ashlar_error* error);

/// Tells in `*is_found` whether `key` is there.
ashlar_code ashlar_exists(const ashlar_db* db, ashlar_bytes key, const ashlar_snapshot* snapshot,
                          bool* is_found, ashlar_error* error);

/// Removes `key`; `is_found`, which may be null here and below, tells whether it was there.
ashlar_code ashlar_erase(ashlar_db* db, ashlar_bytes key, bool* is_found,
                         ashlar_durability durability, ashlar_error* error);

/// Gives `key` another deadline, if it is there.
ashlar_code ashlar_expire(ashlar_db* db, ashlar_bytes key, int64_t deadline_ms, bool* is_found,
                          ashlar_durability durability, ashlar_error* error);

/// Takes the deadline of `key` away; `*had_deadline` is true when it was there and had one.
ashlar_code ashlar_persist(ashlar_db* db, ashlar_bytes key, bool* had_deadline,
                           ashlar_durability durability, ashlar_error* error);

/// Reads how long `key` still has.
///
/// Returns: `*left_ms` is 1 or more; ASHLAR_NEVER without a deadline; 0 when the key is absent
ashlar_code ashlar_time_to_live(const ashlar_db* db, ashlar_bytes key, int64_t* left_ms,
                                ashlar_error* error);

/// An empty batch, to be freed; null when memory ran out.
ashlar_batch* ashlar_batch_new(void);
void ashlar_batch_free(ashlar_batch* batch);
/// Adds an operation, with a copy of its bytes. What is wrong with it is told by `ashlar_write`.
void ashlar_batch_put(ashlar_batch* batch, ashlar_bytes key, ashlar_bytes value,
                      int64_t deadline_ms);
void ashlar_batch_erase(ashlar_batch* batch, ashlar_bytes key);
void ashlar_batch_clear(ashlar_batch* batch);
size_t ashlar_batch_count(const ashlar_batch* batch);

/// Applies all operations of `batch` as one commit, in their order, or none of them.
ashlar_code ashlar_write(ashlar_db* db, const ashlar_batch* batch, ashlar_durability durability,
                         ashlar_error* error);

/// As `ashlar::Db::checkpoint`.
ashlar_code ashlar_checkpoint(ashlar_db* db, ashlar_error* error);

/// As `ashlar::Db::compact`.
ashlar_code ashlar_compact(ashlar_db* db, ashlar_error* error);

/// As `ashlar::Db::backup`; `ashlar verify` and `ashlar restore` take it from there.
ashlar_code ashlar_backup(ashlar_db* db, const char* path, ashlar_error* error);

/// Takes a snapshot of the latest commit, to be released before the database is closed.
ashlar_code ashlar_snapshot_take(const ashlar_db* db, ashlar_snapshot** snapshot,
                                 ashlar_error* error);
void ashlar_snapshot_release(ashlar_snapshot* snapshot);
uint64_t ashlar_snapshot_sequence(const ashlar_snapshot* snapshot);
int64_t ashlar_snapshot_taken_at_ms(const ashlar_snapshot* snapshot);

/// Opens a scan over the keys from `from` on and before `to`. A null `to.data` means up to the
/// last.
///
/// Returns: `*iterator`, to be freed before `snapshot` is released and the database closed
ashlar_code ashlar_scan(const ashlar_db* db, ashlar_bytes from, ashlar_bytes to,
                        const ashlar_snapshot* snapshot, ashlar_iterator** iterator,
                        ashlar_error* error);
/// The same over the keys that begin with `prefix`.
ashlar_code ashlar_scan_prefix(const ashlar_db* db, ashlar_bytes prefix,
                               const ashlar_snapshot* snapshot, ashlar_iterator** iterator,
                               ashlar_error* error);
void ashlar_iterator_free(ashlar_iterator* iterator);

/// As the methods of `ashlar::Iterator`. A step, the key and the value need a valid iterator; the
/// bytes die with the next call that moves it.
void ashlar_iterator_seek_to_first(ashlar_iterator* iterator);
void ashlar_iterator_seek_to_last(ashlar_iterator* iterator);
void ashlar_iterator_seek(ashlar_iterator* iterator, ashlar_bytes key);
void ashlar_iterator_seek_for_previous(ashlar_iterator* iterator, ashlar_bytes key);
void ashlar_iterator_next(ashlar_iterator* iterator);
void ashlar_iterator_previous(ashlar_iterator* iterator);
bool ashlar_iterator_is_valid(const ashlar_iterator* iterator);
ashlar_bytes ashlar_iterator_key(const ashlar_iterator* iterator);
ashlar_bytes ashlar_iterator_value(const ashlar_iterator* iterator);
/// Whether everything went well since the last seek.
ashlar_code ashlar_iterator_status(const ashlar_iterator* iterator, ashlar_error* error);

/// As `ashlar::Stats`: same fields, in the same order.
typedef struct ashlar_stats {
  uint64_t key_count, expiring_key_count;
  uint64_t memory_bytes, memory_budget_bytes, index_bytes, record_bytes, ordered_bytes;
  uint64_t bookkeeping_bytes;
  uint64_t put_count, erase_count, expired_count, evicted_count, refused_write_count;
  uint64_t pending_expiry_count, expiry_lag_ms, expiry_lag_ms_max;
  uint64_t sequence, snapshot_count, oldest_snapshot_ms, kept_version_count;
  uint64_t log_bytes, unsynced_bytes, refuses_writes, replayed_count, torn_bytes;
  uint64_t table_count, table_bytes, level0_table_count;
  uint64_t memtable_bytes, cache_bytes, cache_hit_count, cache_miss_count;
  uint64_t row_cache_bytes, row_cache_hit_count, row_cache_miss_count;
  uint64_t flush_count, flushed_bytes;
  uint64_t compaction_count, compaction_read_bytes, compaction_written_bytes;
  uint64_t compact_done_bytes, compact_total_bytes;
} ashlar_stats;

ashlar_code ashlar_get_stats(const ashlar_db* db, ashlar_stats* stats, ashlar_error* error);

/// Bytes that count against the memory budget now.
size_t ashlar_approximate_memory(const ashlar_db* db);

#ifdef __cplusplus
}
#endif
// NOLINTEND(readability-identifier-naming, modernize-*, performance-enum-size)
