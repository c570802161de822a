#include "cli/cli.h"

#include <exception>
#include <map>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace ashlar::cli {
namespace {

constexpr const char* kFooter =
    "Exit status: 0 all is well; 1 stored bytes are damaged (of a directory, or of a dump);\n"
    "2 it could not be done, or the command line is wrong.";

/// The commands and what they were given.
class CommandLine {
 public:
  CommandLine() : app_("Looks after the directories of Ashlar databases.", "ashlar") {
    app_.set_version_flag("--version", std::string("ashlar ") + ASHLAR_VERSION);
    app_.require_subcommand(1);
    app_.footer(kFooter);
    add_check();
    add_repair();
    add_info();
    add_dump();
    add_load();
    add_convert();
    add_compact();
    add_backup();
    add_verify();
    add_restore();
    add_changes();
  }

  /// Errors: those of CLI11, thrown
  void parse(int argument_count, const char* const* argument_list) {
    app_.parse(argument_count, argument_list);
  }

  /// What CLI11 has to say about an error of its own, which may be a call for help.
  int answer(const CLI::ParseError& error, const Streams& streams) {
    std::ostringstream out;
    std::ostringstream err;
    const int status = app_.exit(error, out, err);
    streams.print(out.str());
    streams.complain(err.str());
    return status == 0 ? kGood : kFailed;
  }

  ExitStatus run(os::Disk& disk, const Streams& streams) {
    if (*check_) return run_check(disk, directory_, streams);
    if (*repair_) {
      return run_repair(disk, directory_, is_dry_ ? RepairRun::kDry : RepairRun::kReal, streams);
    }
    if (*compact_) return run_compact(disk, directory_, streams);
    if (*info_) {
      return run_info(disk, directory_, is_json_ ? InfoForm::kJson : InfoForm::kText, streams);
    }
    dump_arguments_.directory = directory_;
    load_arguments_.directory = directory_;
    convert_arguments_.directory = directory_;
    if (*backup_) return run_backup(disk, copy_arguments_, streams);
    if (*verify_) return run_verify(disk, copy_arguments_.from, streams);
    if (*restore_) return run_restore(disk, restore_options_, streams);
    changes_arguments_.directory = directory_;
    if (*changes_) return run_changes(disk, changes_arguments_, streams);
    if (*convert_) return run_convert(disk, convert_arguments_, streams);
    if (*dump_) return run_dump(disk, dump_arguments_, streams);
    if (has_form_) load_arguments_.form = load_form_;
    return run_load(disk, load_arguments_, streams);
  }

 private:
  CLI::App* add_command(const std::string& name, const std::string& what) {
    CLI::App* const command = app_.add_subcommand(name, what);
    add_path(*command, "DIR", directory_, "the directory of a database");
    return command;
  }

  static void add_path(CLI::App& command, const std::string& name, std::string& path,
                       const std::string& what) {
    // Empty where a script has a variable unset: a `load` without a directory would keep nothing.
    const auto is_named = [](const std::string& given) {
      return given.empty() ? std::string("an empty name leads nowhere") : std::string();
    };
    command.add_option(name, path, what)->required()->check(CLI::Validator(is_named, ""));
  }

  static CLI::CheckedTransformer form_names() {
    const std::map<std::string, DumpForm> forms{{"text", DumpForm::kText},
                                                {"binary", DumpForm::kBinary}};
    return CLI::CheckedTransformer(forms);
  }

  void add_check() {
    check_ = add_command("check", "Looks at every file of a directory and changes nothing.");
  }

  void add_repair() {
    repair_ = add_command("repair",
                          "Makes a damaged directory one that opens; what it does not keep is put"
                          " aside inside of it.");
    repair_->add_flag("--dry-run", is_dry_, "only tell what would be done");
  }

  void add_info() {
    info_ = add_command("info", "Tells what is in a directory, from its files.");
    info_->add_flag("--json", is_json_, "for machines");
  }

  void add_dump() {
    dump_ = add_command("dump", "Writes all rows in the order of their keys.");
    dump_->add_option("--form", dump_arguments_.form, "text (the default) or binary")
        ->transform(form_names());
    dump_->add_option("--output", dump_arguments_.output, "a file; standard output unless given");
  }

  void add_load() {
    load_ = add_command("load", "Stores the rows of a dump; keys that are there are overwritten.");
    load_
        ->add_option_function<DumpForm>(
            "--form",
            [this](DumpForm form) {
              load_form_ = form;
              has_form_ = true;
            },
            "text or binary; found out unless given")
        ->transform(form_names());
    load_->add_option("--input", load_arguments_.input, "a file; standard input unless given");
    const std::map<std::string, Durability> durabilities{{"none", Durability::kNone},
                                                         {"process", Durability::kProcess},
                                                         {"disk", Durability::kDisk}};
    load_
        ->add_option("--durability", load_arguments_.durability,
                     "what each batch survives: none, process or disk (the default)")
        ->transform(CLI::CheckedTransformer(durabilities));
  }

  void add_convert() {
    convert_ = add_command("convert",
                           "Makes a directory of the other engine with all rows, and compares.");
    const std::map<std::string, Engine> engines{{"memory", Engine::kMemory},
                                                {"disk", Engine::kDisk}};
    convert_->add_option("--to", convert_arguments_.to, "the engine: memory or disk")
        ->required()
        ->transform(CLI::CheckedTransformer(engines));
    convert_->add_option("--output", convert_arguments_.output,
                         "the new directory; DIR.memory or DIR.disk unless given");
  }

  void add_compact() {
    compact_ = add_command("compact", "Merges all tables, so that nothing erased takes space.");
  }

  void add_backup() {
    backup_ = app_.add_subcommand("backup",
                                  "Makes a backup; over an earlier one only what is new is taken.");
    add_path(*backup_, "DIR", copy_arguments_.from, "the directory of a database");
    add_path(*backup_, "TO", copy_arguments_.to, "a new directory, or one of its backup");
  }

  void add_verify() {
    verify_ = app_.add_subcommand("verify", "Looks at every byte of a backup.");
    add_path(*verify_, "BACKUP", copy_arguments_.from, "the directory of a backup");
  }

  void add_restore() {
    restore_ = app_.add_subcommand("restore", "Makes a database of a backup, and checks it.");
    add_path(*restore_, "FROM", restore_options_.backup, "the directory of a backup");
    add_path(*restore_, "DIR", restore_options_.directory, "the directory to be made");
    restore_->add_option("--log", restore_options_.log,
                         "goes on behind the backup: the directory of the database that was backed"
                         " up, or one with segments of its log");
    restore_
        ->add_option_function<std::string>(
            "--to",
            [this](const std::string& words) {
              const std::string complaint = take_restore_goal(words, restore_options_);
              if (!complaint.empty()) throw CLI::ValidationError("--to", complaint);
            },
            "the last commit, by its number, or a moment (UTC) like 2026-03-01T12:00:00Z")
        ->needs("--log");
  }

  void add_changes() {
    changes_ = add_command("changes",
                           "Prints what has happened, commit by commit, as far as it is durable;"
                           " the database may be open elsewhere.");
    changes_->add_option("--after", changes_arguments_.after,
                         "begins behind this commit; with the oldest that is kept unless given");
    changes_->add_option("--count", changes_arguments_.count_max, "ends after so many commits");
    changes_->add_flag("--follow", changes_arguments_.is_following, "waits for what is to come");
    changes_->add_flag_callback(
        "--json", [this] { changes_arguments_.form = ChangesForm::kJson; },
        "an object a line and commit");
  }

  CLI::App app_;
  CLI::App* check_ = nullptr;
  CLI::App* repair_ = nullptr;
  CLI::App* info_ = nullptr;
  CLI::App* dump_ = nullptr;
  CLI::App* load_ = nullptr;
  CLI::App* convert_ = nullptr;
  CLI::App* compact_ = nullptr;
  CLI::App* backup_ = nullptr;
  CLI::App* verify_ = nullptr;
  CLI::App* restore_ = nullptr;
  CLI::App* changes_ = nullptr;
  std::string directory_;
  bool is_dry_ = false;
  bool is_json_ = false;
  bool has_form_ = false;
  DumpForm load_form_ = DumpForm::kText;
  DumpArguments dump_arguments_;
  LoadArguments load_arguments_;
  ConvertArguments convert_arguments_;
  CopyArguments copy_arguments_;
  RestoreOptions restore_options_;
  ChangesArguments changes_arguments_;
};

}  // namespace

int run(int argument_count, const char* const* argument_list, os::Disk& disk,
        const Streams& streams) {
  try {
    CommandLine line;
    try {
      line.parse(argument_count, argument_list);
    } catch (const CLI::ParseError& error) {
      return line.answer(error, streams);
    }
    return line.run(disk, streams);
  } catch (const std::exception& error) {
    streams.complain("ashlar: " + std::string(error.what()) + "\n");
    return kFailed;
  }
}

}  // namespace ashlar::cli
