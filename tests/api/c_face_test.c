/* What a program in C may rely on: each call of ashlar/c.h does what its comment says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ashlar/c.h"

/* Unlike assert.h these are there in every build. */
#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, \
              last_error.message);                                                \
      exit(1);                                                                    \
    }                                                                             \
  } while (0)
#define CHECK_OK(call) CHECK((call) == ASHLAR_OK)

static ashlar_error last_error;

static bool is_text(ashlar_bytes bytes, const char* text) {
  return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

/* Whether `key` reads as `expected`, or as absent where that is null. */
static bool reads_as(const ashlar_db* db, const char* key, const ashlar_snapshot* snapshot,
                     const char* expected) {
  ashlar_value value;
  ashlar_bytes bytes;
  bool is_same;
  CHECK_OK(ashlar_get(db, ashlar_text(key), snapshot, &value, &last_error));
  bytes.data = value.data;
  bytes.size = value.size;
  is_same = expected == NULL ? value.data == NULL : value.data != NULL && is_text(bytes, expected);
  ashlar_value_free(&value);
  return is_same;
}

static void put(ashlar_db* db, const char* key, const char* value) {
  CHECK_OK(ashlar_put(db, ashlar_text(key), ashlar_text(value), ASHLAR_NEVER, ASHLAR_DURABLE_DISK,
                      &last_error));
}

static void test_put_get_erase(ashlar_db* db) {
  bool is_found = true;
  const ashlar_bytes odd_key = {"a\0b", 3};
  const ashlar_bytes odd_value = {"\0\xff", 2};
  ashlar_value value;

  CHECK(reads_as(db, "stone", NULL, NULL));
  put(db, "stone", "dressed");
  CHECK(reads_as(db, "stone", NULL, "dressed"));
  put(db, "stone", "");
  CHECK(reads_as(db, "stone", NULL, ""));
  CHECK_OK(ashlar_exists(db, ashlar_text("stone"), NULL, &is_found, &last_error));
  CHECK(is_found);
  CHECK_OK(ashlar_erase(db, ashlar_text("stone"), &is_found, ASHLAR_DURABLE_DISK, &last_error));
  CHECK(is_found);
  CHECK_OK(ashlar_erase(db, ashlar_text("stone"), &is_found, ASHLAR_DURABLE_DISK, &last_error));
  CHECK(!is_found);
  CHECK_OK(ashlar_erase(db, ashlar_text("stone"), NULL, ASHLAR_DURABLE_DISK, NULL));

  CHECK_OK(ashlar_put(db, odd_key, odd_value, ASHLAR_NEVER, ASHLAR_DURABLE_DISK, &last_error));
  CHECK_OK(ashlar_get(db, odd_key, NULL, &value, &last_error));
  CHECK(value.size == 2 && memcmp(value.data, odd_value.data, 2) == 0);
  ashlar_value_free(&value);
  CHECK_OK(ashlar_erase(db, odd_key, NULL, ASHLAR_DURABLE_DISK, &last_error));
}

static void test_large_value(ashlar_db* db) {
  const size_t size = 100000;
  char* bytes = malloc(size);
  ashlar_bytes given;
  ashlar_value value;
  CHECK(bytes != NULL);
  memset(bytes, 'v', size);
  given.data = bytes;
  given.size = size;
  CHECK_OK(
      ashlar_put(db, ashlar_text("large"), given, ASHLAR_NEVER, ASHLAR_DURABLE_DISK, &last_error));
  CHECK_OK(ashlar_get(db, ashlar_text("large"), NULL, &value, &last_error));
  CHECK(value.size == size && memcmp(value.data, bytes, size) == 0);
  ashlar_value_free(&value);
  CHECK_OK(ashlar_erase(db, ashlar_text("large"), NULL, ASHLAR_DURABLE_DISK, &last_error));
  free(bytes);
}

static void test_errors(ashlar_db* db) {
  ashlar_value value;
  ashlar_db* other = NULL;
  ashlar_options options;
  CHECK(ashlar_put(db, ashlar_text(""), ashlar_text("v"), ASHLAR_NEVER, ASHLAR_DURABLE_DISK,
                   &last_error) == ASHLAR_INVALID_ARGUMENT);
  CHECK(last_error.code == ASHLAR_INVALID_ARGUMENT);
  CHECK(strcmp(last_error.message, "key \"\" has 0 bytes, 1 to 1024 allowed") == 0);
  CHECK(strcmp(ashlar_code_name(last_error.code), "InvalidArgument") == 0);
  CHECK(ashlar_get(db, ashlar_text(""), NULL, &value, NULL) == ASHLAR_INVALID_ARGUMENT);
  CHECK(value.data == NULL);

  ashlar_options_init(&options);
  options.memory_budget_bytes = 1;
  CHECK(ashlar_open(&options, &other, &last_error) == ASHLAR_INVALID_ARGUMENT);
  CHECK(other == NULL);
  ashlar_options_init(&options);
  options.memory_budget_bytes = 64u << 20;
  options.memory_policy = ASHLAR_EVICT;
  CHECK_OK(ashlar_open(&options, &other, &last_error));
  CHECK_OK(ashlar_close(other, &last_error));
}

static void test_expiry(ashlar_db* db) {
  const ashlar_bytes key = ashlar_text("mortal");
  const int64_t hour_ms = 3600000;
  int64_t left_ms = -1;
  bool answer = true;

  CHECK_OK(ashlar_time_to_live(db, key, &left_ms, &last_error));
  CHECK(left_ms == 0);
  CHECK_OK(ashlar_put(db, key, ashlar_text("v"), ashlar_now_ms(db) + hour_ms, ASHLAR_DURABLE_DISK,
                      &last_error));
  CHECK_OK(ashlar_time_to_live(db, key, &left_ms, &last_error));
  CHECK(left_ms > 0 && left_ms <= hour_ms);
  CHECK_OK(ashlar_persist(db, key, &answer, ASHLAR_DURABLE_DISK, &last_error));
  CHECK(answer);
  CHECK_OK(ashlar_persist(db, key, &answer, ASHLAR_DURABLE_DISK, &last_error));
  CHECK(!answer);
  CHECK_OK(ashlar_time_to_live(db, key, &left_ms, &last_error));
  CHECK(left_ms == ASHLAR_NEVER);
  CHECK_OK(ashlar_expire(db, key, 0, &answer, ASHLAR_DURABLE_DISK,
                         &last_error)); /* Long ago: gone at once. */
  CHECK(answer);
  CHECK(reads_as(db, "mortal", NULL, NULL));
  CHECK_OK(ashlar_expire(db, key, ASHLAR_NEVER, &answer, ASHLAR_DURABLE_DISK, &last_error));
  CHECK(!answer);
}

static void test_batch(ashlar_db* db) {
  ashlar_batch* batch = ashlar_batch_new();
  CHECK(batch != NULL);
  put(db, "gone", "v");
  ashlar_batch_put(batch, ashlar_text("a"), ashlar_text("1"), ASHLAR_NEVER);
  ashlar_batch_put(batch, ashlar_text("a"), ashlar_text("2"), ASHLAR_NEVER);
  ashlar_batch_erase(batch, ashlar_text("gone"));
  CHECK(ashlar_batch_count(batch) == 3);
  CHECK_OK(ashlar_write(db, batch, ASHLAR_DURABLE_DISK, &last_error));
  CHECK(reads_as(db, "a", NULL, "2"));
  CHECK(reads_as(db, "gone", NULL, NULL));

  ashlar_batch_clear(batch);
  ashlar_batch_put(batch, ashlar_text("a"), ashlar_text("3"), ASHLAR_NEVER);
  ashlar_batch_erase(batch, ashlar_text(""));
  CHECK(ashlar_write(db, batch, ASHLAR_DURABLE_DISK, &last_error) == ASHLAR_INVALID_ARGUMENT);
  CHECK(reads_as(db, "a", NULL, "2"));
  ashlar_batch_free(batch);
  CHECK_OK(ashlar_erase(db, ashlar_text("a"), NULL, ASHLAR_DURABLE_DISK, &last_error));
}

static void test_snapshot_and_multi_get(ashlar_db* db) {
  const ashlar_bytes keys[3] = {{"a", 1}, {"absent", 6}, {"b", 1}};
  ashlar_value values[3];
  ashlar_snapshot* snapshot = NULL;
  size_t i;

  put(db, "a", "old");
  CHECK_OK(ashlar_snapshot_take(db, &snapshot, &last_error));
  put(db, "a", "new");
  put(db, "b", "v");
  CHECK(reads_as(db, "a", snapshot, "old"));
  CHECK(reads_as(db, "b", snapshot, NULL));
  CHECK(ashlar_snapshot_taken_at_ms(snapshot) <= ashlar_now_ms(db));

  CHECK_OK(ashlar_multi_get(db, keys, 3, NULL, values, &last_error));
  CHECK(values[0].size == 3 && memcmp(values[0].data, "new", 3) == 0);
  CHECK(values[1].data == NULL);
  CHECK(values[2].size == 1 && values[2].data[0] == 'v');
  for (i = 0; i < 3; ++i) ashlar_value_free(&values[i]);

  CHECK(ashlar_close(db, &last_error) == ASHLAR_BUSY);
  CHECK(reads_as(db, "a", NULL, "new"));
  ashlar_snapshot_release(snapshot);
}

static void test_scan(ashlar_db* db) {
  const ashlar_bytes none = {NULL, 0};
  ashlar_iterator* rows = NULL;
  char keys[64] = "";

  put(db, "row:1", "one");
  put(db, "row:2", "two");
  put(db, "row:3", "three");
  put(db, "rox", "beyond");
  CHECK_OK(ashlar_scan_prefix(db, ashlar_text("row:"), NULL, &rows, &last_error));
  CHECK(!ashlar_iterator_is_valid(rows));
  for (ashlar_iterator_seek_to_first(rows); ashlar_iterator_is_valid(rows);
       ashlar_iterator_next(rows)) {
    strncat(keys, ashlar_iterator_key(rows).data + 4, 1);
  }
  for (ashlar_iterator_seek_to_last(rows); ashlar_iterator_is_valid(rows);
       ashlar_iterator_previous(rows)) {
    strncat(keys, ashlar_iterator_key(rows).data + 4, 1);
  }
  CHECK_OK(ashlar_iterator_status(rows, &last_error));
  CHECK(strcmp(keys, "123321") == 0);
  ashlar_iterator_seek(rows, ashlar_text("row:15"));
  CHECK(is_text(ashlar_iterator_value(rows), "two"));
  ashlar_iterator_seek_for_previous(rows, ashlar_text("row:15"));
  CHECK(is_text(ashlar_iterator_value(rows), "one"));
  ashlar_iterator_free(rows);

  CHECK_OK(ashlar_scan(db, ashlar_text("row:2"), ashlar_text("row:3"), NULL, &rows, &last_error));
  ashlar_iterator_seek_to_last(rows);
  CHECK(is_text(ashlar_iterator_key(rows), "row:2"));
  ashlar_iterator_free(rows);

  CHECK_OK(ashlar_scan(db, none, none, NULL, &rows, &last_error));
  ashlar_iterator_seek_to_last(rows);
  CHECK(is_text(ashlar_iterator_key(rows), "rox"));
  ashlar_iterator_free(rows);
}

static void test_stats(ashlar_db* db) {
  ashlar_stats stats;
  CHECK_OK(ashlar_get_stats(db, &stats, &last_error));
  CHECK(stats.key_count == 6); /* a, b, row:1 to row:3, rox */
  CHECK(stats.snapshot_count == 0);
  CHECK(stats.memory_budget_bytes == (uint64_t)1 << 30);
  CHECK(stats.memory_bytes > 0);
  CHECK(ashlar_approximate_memory(db) > 0);
}

int main(void) {
  ashlar_db* db = NULL;
  CHECK_OK(ashlar_open(NULL, &db, &last_error));
  test_put_get_erase(db);
  test_large_value(db);
  test_errors(db);
  test_expiry(db);
  test_batch(db);
  test_snapshot_and_multi_get(db);
  test_scan(db);
  test_stats(db);
  CHECK_OK(ashlar_close(db, &last_error));
  puts("c_face_test: all good");
  return 0;
}
