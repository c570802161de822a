#include "world.h"

#include <barrier>
#include <charconv>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "db/access.h"

namespace ashlar::concurrency {
namespace {

constexpr std::size_t kNumberDigits = 20;

Db opened(db::EngineRig& rig, const Options& options, const os::Clock& clock) {
  // On disk with the threads that flush and compact.
  const bool is_on_disk = db::engine_under_test() == Engine::kDisk;
  auto db = rig.open(options, {.clock = &clock, .hash_seed = 7, .has_background = is_on_disk});
  ASHLAR_ASSERT(db.has_value(), "a database opens");
  return std::move(*db);
}

std::string padded(std::uint64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  text.insert(0, digits - text.size(), '0');
  return text;
}

}  // namespace

World::World(const Options& options) : db_(opened(rig_, options, clock_)) {}

void World::maintain() {
  db::Access::engine(db_).maintain();
}

void World::check() {
  db::Access::engine(db_).check();
}

std::uint64_t count_keys(const Db& db) {
  std::uint64_t count = 0;
  auto rows = db.scan().value();
  for (rows.seek_to_first(); rows.is_valid(); rows.next()) ++count;
  return count;
}

void run_together(std::vector<std::function<void()>> tasks) {
  std::barrier start(static_cast<std::ptrdiff_t>(tasks.size()));
  std::vector<std::jthread> threads;
  threads.reserve(tasks.size());
  for (auto& task : tasks) {
    threads.emplace_back([&start, &task] {
      start.arrive_and_wait();
      task();
    });
  }
  threads.clear();  // Joins.
}

void add_tasks(std::vector<std::function<void()>>& tasks, std::size_t count,
               const std::function<void(std::size_t)>& task) {
  for (std::size_t i = 0; i < count; ++i) tasks.emplace_back([task, i] { task(i); });
}

std::string value_of(std::uint64_t number) {
  std::string value = padded(number, kNumberDigits);
  const std::size_t filler_bytes = number % 50 == 49 ? 6000 : number * 13 % 400;
  value.append(filler_bytes, static_cast<char>('a' + number % 26));
  return value;
}

std::optional<std::uint64_t> number_of(std::string_view value) {
  std::uint64_t number = 0;
  if (value.size() < kNumberDigits) return std::nullopt;
  const char* end = value.data() + kNumberDigits;
  const auto parsed = std::from_chars(value.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  if (value != value_of(number)) return std::nullopt;
  return number;
}

std::string key_of(std::string_view prefix, std::uint64_t number) {
  return std::string(prefix) + padded(number, 7);
}

}  // namespace ashlar::concurrency
