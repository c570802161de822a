// The engine from C: write, read, batch, expire, scan, hold a snapshot, meet a limit.
#include <ashlar/c.h>
#include <inttypes.h>
#include <stdio.h>

// Leaves the function when `call` fails; `error` then says why.
#define TRY(call)                       \
  do {                                  \
    ashlar_code code = (call);          \
    if (code != ASHLAR_OK) return code; \
  } while (0)

static void show(const char* name, ashlar_bytes bytes) {
  printf("%s is %.*s\n", name, (int)bytes.size, bytes.data);
}

static ashlar_code read_and_write(ashlar_db* db, ashlar_error* error) {
  const ashlar_bytes key = ashlar_text("stone:1");
  TRY(ashlar_put(db, key, ashlar_text("rough"), ASHLAR_NEVER, ASHLAR_DURABLE_DISK, error));

  ashlar_value value;
  TRY(ashlar_get(db, key, NULL, &value, error));
  if (value.data != NULL) {  // Null when the key is absent: that is not an error.
    show("stone:1", (ashlar_bytes){value.data, value.size});
  }
  ashlar_value_free(&value);

  const int64_t deadline_ms = ashlar_now_ms(db) + INT64_C(30) * 60 * 1000;
  int64_t left_ms = 0;
  TRY(ashlar_put(db, ashlar_text("lunch"), ashlar_text("bread"), deadline_ms, ASHLAR_DURABLE_DISK,
                 error));
  TRY(ashlar_time_to_live(db, ashlar_text("lunch"), &left_ms, error));
  printf("lunch is over in %" PRId64 " ms or less\n", left_ms);
  return ASHLAR_OK;
}

static ashlar_code write_batch(ashlar_db* db, ashlar_error* error) {
  ashlar_batch* batch = ashlar_batch_new();  // All of it happens, or nothing.
  if (batch == NULL) return ASHLAR_OUT_OF_SPACE;
  ashlar_batch_put(batch, ashlar_text("stone:1"), ashlar_text("dressed"), ASHLAR_NEVER);
  ashlar_batch_put(batch, ashlar_text("stone:2"), ashlar_text("rough"), ASHLAR_NEVER);
  ashlar_batch_put(batch, ashlar_text("stone:3"), ashlar_text("rough"), ASHLAR_NEVER);
  const ashlar_code code = ashlar_write(db, batch, ASHLAR_DURABLE_DISK, error);
  ashlar_batch_free(batch);
  return code;
}

static ashlar_code erase_under_snapshot(ashlar_db* db, ashlar_error* error) {
  const ashlar_bytes key = ashlar_text("stone:2");
  ashlar_snapshot* before = NULL;
  TRY(ashlar_snapshot_take(db, &before, error));
  bool was_there = false;
  bool is_there_before = false;
  ashlar_code code = ashlar_erase(db, key, &was_there, ASHLAR_DURABLE_DISK, error);
  if (code == ASHLAR_OK) code = ashlar_exists(db, key, before, &is_there_before, error);
  ashlar_snapshot_release(before);
  printf("stone:2: erased %d, at the snapshot %d\n", was_there, is_there_before);
  return code;
}

static ashlar_code scan(ashlar_db* db, ashlar_error* error) {
  ashlar_iterator* rows = NULL;
  TRY(ashlar_scan_prefix(db, ashlar_text("stone:"), NULL, &rows, error));
  for (ashlar_iterator_seek_to_first(rows); ashlar_iterator_is_valid(rows);
       ashlar_iterator_next(rows)) {
    const ashlar_bytes key = ashlar_iterator_key(rows);
    printf("%.*s: ", (int)key.size, key.data);
    show("it", ashlar_iterator_value(rows));
  }
  const ashlar_code code = ashlar_iterator_status(rows, error);
  ashlar_iterator_free(rows);
  return code;
}

static ashlar_code tour(ashlar_db* db, ashlar_error* error) {
  TRY(read_and_write(db, error));
  TRY(write_batch(db, error));
  TRY(erase_under_snapshot(db, error));
  TRY(scan(db, error));

  ashlar_error refusal;  // An error says what to do about it.
  const ashlar_code code = ashlar_put(db, ashlar_text(""), ashlar_text("value"), ASHLAR_NEVER,
                                      ASHLAR_DURABLE_DISK, &refusal);
  if (code != ASHLAR_OK) printf("refused: %s: %s\n", ashlar_code_name(code), refusal.message);
  return ASHLAR_OK;
}

int main(void) {
  ashlar_error error = {ASHLAR_OK, ""};
  ashlar_db* db = NULL;
  ashlar_code code = ashlar_open(NULL, &db, &error);
  if (code == ASHLAR_OK) code = tour(db, &error);
  if (code != ASHLAR_OK) {
    fputs(error.message, stderr);
    fputc('\n', stderr);
  }
  const ashlar_code closed = ashlar_close(db, NULL);
  return code == ASHLAR_OK && closed == ASHLAR_OK ? 0 : 1;
}
