/* The least that a program in C with Ashlar does. */
#include <ashlar/c.h>
#include <stdio.h>

int main(void) {
  ashlar_db* db = NULL;
  ashlar_error error;
  ashlar_value value;
  ashlar_code code = ashlar_open(NULL, &db, &error);
  if (code == ASHLAR_OK) {
    code = ashlar_put(db, ashlar_text("stone"), ashlar_text("laid"), ASHLAR_NEVER,
                      ASHLAR_DURABLE_DISK, &error);
  }
  if (code == ASHLAR_OK) code = ashlar_get(db, ashlar_text("stone"), NULL, &value, &error);
  if (code != ASHLAR_OK) {
    fprintf(stderr, "%s: %s\n", ashlar_code_name(code), error.message);
    return 1;
  }
  printf("C: %.*s\n", (int)value.size, value.data);
  ashlar_value_free(&value);
  return ashlar_close(db, &error) == ASHLAR_OK ? 0 : 1;
}
