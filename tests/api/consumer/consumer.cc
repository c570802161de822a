// The least that a program with Ashlar does.
#include <ashlar/db.h>

#include <iostream>

int main() {
  auto db = ashlar::Db::open();
  if (!db || !db->put("stone", "dressed")) return 1;
  const auto value = db->get("stone");
  if (!value || !*value) return 1;
  std::cout << "C++: " << (*value)->view() << '\n';
  return db->close() ? 0 : 1;
}
