/// \file
/// Puts the package catalogue of this machine through Ashlar while you watch, and checks that every
/// byte comes back.
///
///     ashlar-demo [--catalogue FILE] [--directory DIRECTORY]
///
/// Exit status: 0 all good, 1 a failure, 2 a wrong argument.
#include <array>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <string>

#include "steps.h"

namespace demo {
namespace {

struct Arguments {
  std::string catalogue_path;  // Empty: the catalogue of this machine.
  std::string directory;       // Empty: a temporary one.
  bool is_one_corrupted = false;
};

std::optional<Arguments> parse_arguments(std::span<char*> words) {
  Arguments arguments;
  for (std::size_t index = 1; index < words.size(); ++index) {
    const std::string_view word = words[index];
    if (word == "--catalogue" && index + 1 < words.size()) {
      arguments.catalogue_path = words[++index];
    } else if (word == "--directory" && index + 1 < words.size()) {
      arguments.directory = words[++index];
    } else if (word == "--corrupt-one") {
      arguments.is_one_corrupted = true;
    } else {
      return std::nullopt;
    }
  }
  return arguments;
}

void describe(const Catalogue& catalogue, const Home& home, Terminal& terminal) {
  terminal.heading("Catalogue: each record goes under pkg:<name>:<version>:<architecture>");
  terminal.figure("source", {catalogue.source, ", ", mebibytes(catalogue.text.size())});
  terminal.figure("records", {grouped(catalogue.records.size())});
  terminal.figure("same key as a later one", {grouped(catalogue.superseded_count)});
  terminal.figure("left out, no name", {grouped(catalogue.nameless_count)});
  terminal.figure("directory", {home.path(), home.is_kept() ? ", kept" : ", removed in the end"});
}

ashlar::Result<ashlar::Db> open_after_crash(const Home& home, Terminal& terminal) {
  const Stopwatch watch;
  ASHLAR_TRY_ASSIGN(auto db, ashlar::Db::open(demo_options(home.path())));
  terminal.figure("recovery took", {watch.elapsed()});
  return db;
}

ashlar::Result<void> run(const Arguments& arguments) {
  const Stopwatch watch;
  ASHLAR_TRY_ASSIGN(const auto catalogue, arguments.catalogue_path.empty()
                                              ? read_system_catalogue()
                                              : read_catalogue(arguments.catalogue_path));
  ASHLAR_TRY_ASSIGN(const Home home, Home::make(arguments.directory));
  Terminal terminal(stdout);
  describe(catalogue, home, terminal);
  ASHLAR_TRY_ASSIGN(const auto stored_count, lose_process(catalogue, home.path(), terminal));
  ASHLAR_TRY_ASSIGN(auto db, open_after_crash(home, terminal));
  const Stage stage{.db = db,
                    .home = home,
                    .catalogue = catalogue,
                    .terminal = terminal,
                    .stored_count = stored_count};

  constexpr std::array kSteps{prove_survival, load_records,  read_points,
                              scan_prefix,    hold_snapshot, watch_expiry,
                              exceed_limits,  report_memory, make_checkpoint};
  for (const auto step : kSteps) ASHLAR_TRY(step(stage));
  if (arguments.is_one_corrupted) ASHLAR_TRY(corrupt_one(stage));
  ASHLAR_TRY(verify_records(stage));

  ASHLAR_TRY(db.close());
  terminal.heading("All good");
  terminal.line({"everything together took ", watch.elapsed()});
  return {};
}

int report(std::string_view kind, std::string_view message) {
  std::fflush(stdout);
  const auto text = "ashlar-demo: " + std::string(kind) + ": " + std::string(message) + "\n";
  std::fputs(text.c_str(), stderr);
  return 1;
}

}  // namespace
}  // namespace demo

int main(int count, char** words) {
  // Ashlar reports by values; what could still be thrown comes from the standard library.
  try {
    const auto arguments = demo::parse_arguments({words, static_cast<std::size_t>(count)});
    if (!arguments) {
      std::fputs("usage: ashlar-demo [--catalogue FILE] [--directory DIRECTORY]\n", stderr);
      return 2;
    }
    if (const auto done = demo::run(*arguments); !done) {
      return demo::report(ashlar::error_code_name(done.error().code()), done.error().message());
    }
    return 0;
  } catch (const std::exception& failure) {
    std::fputs(failure.what(), stderr);
    return 1;
  }
}
