// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "image/records.hpp"
#include "pipeline/build.hpp"

namespace mailstead::cli {

/// What the options before and after a verb say, the same for all verbs.
struct Globals {
  std::string progress = "auto";  ///< auto, terminal, plain, json or none
  bool json = false;              ///< results as JSON
  pipeline::Options options;
  std::unique_ptr<Reporter> reporter;  ///< made when the command line has been read
  /// What the chosen verb does; set by its callback.
  std::function<Status()> work;
  int exit_code = 0;  ///< of work that went well: 1 where that is an answer, as by diff(1)
};

/// Each adds its verb to the program. One file a verb.
void add_init(CLI::App& app, Globals& globals);
void add_check(CLI::App& app, Globals& globals);
void add_explain(CLI::App& app, Globals& globals);
void add_passwd(CLI::App& app, Globals& globals);
void add_keys(CLI::App& app, Globals& globals);
void add_dns(CLI::App& app, Globals& globals);
void add_lock(CLI::App& app, Globals& globals);
void add_base(CLI::App& app, Globals& globals);
void add_build(CLI::App& app, Globals& globals);
void add_verify(CLI::App& app, Globals& globals);
void add_update(CLI::App& app, Globals& globals);
void add_rollback(CLI::App& app, Globals& globals);
void add_status(CLI::App& app, Globals& globals);
void add_test(CLI::App& app, Globals& globals);
void add_run(CLI::App& app, Globals& globals);
void add_inspect(CLI::App& app, Globals& globals);
void add_diff(CLI::App& app, Globals& globals);
void add_sbom(CLI::App& app, Globals& globals);
void add_audit(CLI::App& app, Globals& globals);
void add_completion(CLI::App& app, Globals& globals);
void add_help(CLI::App& app, Globals& globals);

/// The error behind what CLI11 found wrong with the command line, with the word that was probably meant.
Error usage_error(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv);

/// The error for a command that does not exist.
Error unknown_command(const CLI::App& app, const std::string& word);

/// The commands that are for people.
std::vector<const CLI::App*> commands_of(const CLI::App& app);

/// Prints the help of a command, or of the whole program if `verb` is null, wrapped to the terminal.
void print_help(const CLI::App& app, const CLI::App* verb);

/// The end of a command's help: our own commands (words behind the name of the program) as examples, and a
/// paragraph behind them.
std::string examples(std::initializer_list<std::vector<std::string>> commands, std::string_view more = {});

/// How help shows options: with readable types, ranges, and what they need or exclude.
std::shared_ptr<CLI::Formatter> make_formatter();
/// What a checked option may be, "bash fish zsh", from the {…} in the name that CLI11 gives its type; nothing
/// if anything may be.
std::string choices_of(const CLI::Option& option);
/// What stands behind an option: "N", "FILE", "spdx|cyclonedx", or nothing.
std::string value_of(const CLI::Option& option);
/// What an option does, with its range, its default, and what it needs or excludes in parentheses.
std::string description_of(const CLI::Option& option);

/// The path of a file in docs/, in the checkout or where it was installed.
std::string document(const std::string& name);
/// What describes all keys of a spec: a manual page where the program was installed, else a document.
std::string reference_of_keys();

/// The options of `app` as they are typed: "-o", "--output".
std::vector<std::string> option_names(const CLI::App& app);

/// The keys of a spec as they are typed: "domains.dkim.selector".
std::vector<std::string> key_names();

/// Error if `image` is not a file that a machine could start from.
Status require_disk_image(const std::filesystem::path& image);
/// The same, and if it says that it is for an architecture whose machines are not started here.
Status require_startable_image(const std::filesystem::path& image);

/// A check for options that name files: nothing if `text` is a name, else what is wrong with it.
std::string not_empty(const std::string& text);

/// Prints what is public of an appliance, identity and digests: the same text for a base that has been made
/// and for one that is in an image, so that anyone can hold the two against each other.
void print_public_part(const image::PublicDigests& digests, bool json);

/// Options that several verbs have.
void add_spec_argument(CLI::App& verb, std::filesystem::path& spec);
void add_profile_option(CLI::App& verb, Globals& globals);
void add_json_option(CLI::App& verb, Globals& globals);
void add_archive_options(CLI::App& verb, Globals& globals);
void add_snapshot_option(CLI::App& verb, Globals& globals);

}  // namespace mailstead::cli
