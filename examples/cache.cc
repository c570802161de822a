// A cache that reads through: under kEvict the keys that nobody uses make room at the memory
// budget, and a time to live bounds how stale an answer can be.
#include <ashlar/db.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

using ashlar::Db;
using ashlar::Expiry;
using ashlar::MemoryPolicy;
using ashlar::Result;

namespace {

// What is dear to ask: a page that some other service would render.
std::string render(std::string_view page) {
  return std::string(page) + std::string(2000, '.');
}

class PageCache {
 public:
  static Result<PageCache> open() {
    ASHLAR_TRY_ASSIGN(auto db, Db::open({.memory_budget_bytes = std::size_t{8} << 20U,
                                         .memory_policy = MemoryPolicy::kEvict}));
    return PageCache(std::move(db));
  }

  Result<std::string> page(std::string_view name) {
    ASHLAR_TRY_ASSIGN(auto kept, db_.get(name));
    ++asked_count_;
    if (kept) {
      ++hit_count_;
      return std::string(kept->view());
    }
    auto rendered = render(name);
    ASHLAR_TRY(db_.put(name, rendered, Expiry::in(kLifetime)));
    return rendered;
  }

  Result<void> report() const {
    ASHLAR_TRY_ASSIGN(auto stats, db_.stats());
    std::cout << asked_count_ << " pages asked for, " << hit_count_ << " from the cache, "
              << stats.key_count << " kept, " << stats.evicted_count << " evicted, "
              << stats.memory_bytes << " of " << stats.memory_budget_bytes << " bytes used\n";
    return {};
  }

 private:
  static constexpr std::chrono::seconds kLifetime{60};

  explicit PageCache(Db db) : db_(std::move(db)) {}

  Db db_;
  std::uint64_t asked_count_ = 0;
  std::uint64_t hit_count_ = 0;
};

// Two visits in three go to one of 100 popular pages, the third to a page of its own.
Result<void> visit(PageCache& cache) {
  for (int visit = 0; visit < 60'000; ++visit) {
    const int page = visit % 3 == 2 ? visit : visit % 100;
    const auto name = (visit % 3 == 2 ? "rare/" : "popular/") + std::to_string(page);
    ASHLAR_TRY_ASSIGN(auto text, cache.page(name));
    if (!text.starts_with(name))
      return std::unexpected(
          ashlar::Error(ashlar::ErrorCode::kCorruption, name + ": the cache gave another page"));
  }
  return cache.report();
}

}  // namespace

int main() {
  auto cache = PageCache::open();
  auto done = cache ? visit(*cache) : Result<void>(std::unexpected(cache.error()));
  if (!done) std::cerr << done.error().message() << '\n';
  return done ? 0 : 1;
}
