#include "steps.h"

namespace demo {
namespace {

std::string each(std::uint64_t bytes, std::uint64_t count) {
  if (count == 0) return "none";
  return fixed(static_cast<double>(bytes) / static_cast<double>(count), 1) + " bytes a record";
}

}  // namespace

ashlar::Result<void> report_memory(const Stage& stage) {
  ASHLAR_TRY_ASSIGN(const auto stats, stage.db.stats());

  std::uint64_t content_bytes = 0;
  for (const auto& record : stage.catalogue.records) {
    if (!record.is_superseded) content_bytes += record.key.size() + record.bytes;
  }
  const auto count = stats.key_count;
  auto& terminal = stage.terminal;
  const auto row = [&terminal, count](std::string_view name, std::uint64_t bytes) {
    terminal.figure(name, {mebibytes(bytes), ", ", each(bytes, count)});
  };

  terminal.heading("Memory");
  terminal.figure("keys held",
                  {grouped(count), ", with a deadline: ", grouped(stats.expiring_key_count)});
  row("their keys and values", content_bytes);
  row("all that is held", stats.memory_bytes);
  row("  records", stats.record_bytes);
  row("    ordered side of it", stats.ordered_bytes);
  row("  hash index", stats.index_bytes);
  row("  bookkeeping", stats.bookkeeping_bytes);
  terminal.figure("budget", {mebibytes(stats.memory_budget_bytes)});
  terminal.figure("since opening", {grouped(stats.put_count), " puts, ", grouped(stats.erase_count),
                                    " erases, ", grouped(stats.expired_count), " expired, ",
                                    grouped(stats.refused_write_count), " refused"});
  return {};
}

}  // namespace demo
