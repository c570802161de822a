// The row of ordered scans: a hundred rows from a random start, keys and values copied out. The
// figure is the time of a whole scan.

#include <cstddef>
#include <cstdint>

#include "backend_ashlar.h"
#include "backend_locked_tree.h"
#include "keys.h"
#include "random.h"
#include "rows.h"

namespace ashlar::bench {
namespace {

template <OrderedBackend Store>
class ScanLoop final : public Contender {
 public:
  ScanLoop() : Contender(Store::kName), store_(kKeyCount) {
    add_wrong(load(store_, kKeyCount));
    RowBuffer rows;
    expect(store_.scan(Key(0).view(), rows));  // The first scan may build what scans need.
  }

  Figure run(double seconds) override {
    Random random(++round_);
    RowBuffer rows;
    return time_operations(seconds, kSlowBlock, [&] {
      const Key from(random.below(kKeyCount));
      expect(store_.scan(from.view(), rows) && is_right(from, rows));
    });
  }

 private:
  /// The order of all rows and the content of some: to look at all would take as long as the scan.
  static bool is_right(const Key& from, const RowBuffer& rows) {
    constexpr std::size_t kStride = 16;
    constexpr std::uint64_t kNearTheEnd = ~std::uint64_t{0} / 1000 * 999;
    if (rows.count() == 0 || rows.key(0) != from.view()) return false;
    if (rows.count() < RowBuffer::kRowsMax && rank_of(from.view()) < kNearTheEnd) return false;
    bool is_right = true;
    for (std::size_t row = 1; row < rows.count(); ++row) {
      is_right &= rank_of(rows.key(row - 1)) < rank_of(rows.key(row));
    }
    for (std::size_t row = 0; row < rows.count(); row += kStride) {
      is_right &= ValueMaker::is_value_of(index_of(rows.key(row)), rows.value(row));
    }
    return is_right;
  }

  std::uint64_t round_ = 0;
  Store store_;
};

}  // namespace

RowOutcome run_scan(const Row& row, const Settings& settings) {
  Contenders contenders;
  contenders.push_back(std::make_unique<ScanLoop<AshlarBackend>>());
  contenders.push_back(std::make_unique<ScanLoop<LockedTreeBackend>>());
  return compare(row, settings, contenders, LockedTreeBackend::kName);
}

}  // namespace ashlar::bench
