#include <algorithm>

#include "steps.h"

namespace demo {
namespace {

constexpr std::size_t kBatchRecords = 256;

}  // namespace

ashlar::Result<void> load_records(const Stage& stage) {
  const auto& catalogue = stage.catalogue;
  const auto& records = catalogue.records;
  auto& terminal = stage.terminal;

  terminal.heading("Load: the other records, each batch survives a power cut");
  const Stopwatch watch;
  std::size_t bytes = 0;
  ashlar::WriteBatch batch;
  for (std::size_t index = stage.stored_count; index < records.size(); ++index) {
    batch.put(records[index].key, catalogue.text_of(records[index]));
    if (batch.count() < kBatchRecords && index + 1 < records.size()) continue;

    ASHLAR_TRY(stage.db.write(batch));
    bytes += batch.bytes();
    batch.clear();
    terminal.progress(index + 1, records.size());
  }
  terminal.figure("stored", {mebibytes(bytes), " in batches of ", grouped(kBatchRecords), ", ",
                             watch.elapsed()});
  terminal.figure("rate", {watch.rate(records.size() - stage.stored_count), ", ",
                           mebibytes(static_cast<std::uint64_t>(static_cast<double>(bytes) /
                                                                std::max(watch.seconds(), 1e-9))),
                           "/s"});
  return {};
}

}  // namespace demo
