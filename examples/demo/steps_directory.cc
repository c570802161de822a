#include <utility>

#include "steps.h"

namespace demo {

ashlar::Result<void> make_checkpoint(const Stage& stage) {
  auto& terminal = stage.terminal;
  terminal.heading("Checkpoint: all records in one file, the log before it given up");
  ASHLAR_TRY_ASSIGN(const auto before, stage.db.stats());
  const Stopwatch watch;
  ASHLAR_TRY(stage.db.checkpoint());
  terminal.figure("written", {watch.elapsed(), ", beside readers and writers"});
  ASHLAR_TRY_ASSIGN(const auto after, stage.db.stats());
  terminal.figure("log to replay",
                  {mebibytes(before.log_bytes), " before, ", mebibytes(after.log_bytes), " now"});

  const auto raw_bytes = stage.catalogue.text.size();
  const auto file_bytes = stage.home.bytes_of("checkpoint");
  const auto percent = 100 * static_cast<double>(file_bytes) / static_cast<double>(raw_bytes);
  terminal.figure("raw catalogue", {mebibytes(raw_bytes)});
  terminal.figure("checkpoint",
                  {mebibytes(file_bytes), ", ", fixed(percent, 0), " % of it, compressed"});
  terminal.figure("directory",
                  {mebibytes(stage.home.bytes_of("")), ", of which ",
                   mebibytes(stage.home.bytes_of("log")), " are for the log, allocated ahead"});

  ASHLAR_TRY(stage.db.close());
  // The directory is let go with the object, not before.
  {
    const ashlar::Db closed = std::move(stage.db);
  }
  const Stopwatch reopening;
  ASHLAR_TRY_ASSIGN(stage.db, ashlar::Db::open(demo_options(stage.home.path())));
  terminal.figure("closed and opened again", {reopening.elapsed()});
  return {};
}

}  // namespace demo
