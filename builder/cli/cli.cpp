// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/cli.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>

#include "base/interrupt.hpp"
#include "base/revision.hpp"
#include "cli/command.hpp"
#include "image/image.hpp"

namespace mailstead::cli {
namespace {

std::unique_ptr<Reporter> make_reporter(const std::string& progress) {
  if (progress == "json") return make_json_reporter();
  if (progress == "none") return make_quiet_reporter();
  if (progress == "terminal") return make_terminal_reporter();
  if (progress == "auto" && ::isatty(STDERR_FILENO) == 1) return make_terminal_reporter();
  return make_plain_reporter();
}

/// Results that nobody got are no success.
bool results_written() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  std::fputs("mailstead: the result could not be written to standard output\n", stderr);
  return false;
}

int run_parsed(Globals& globals) {
  globals.reporter = make_reporter(globals.progress);
  globals.options.now = std::time(nullptr);
  catch_interrupts();
  const Status done = globals.work();
  globals.reporter.reset();  // ends the progress line before anything else is printed
  if (done) return results_written() ? globals.exit_code : 1;
  std::fflush(stdout);
  std::fputs(("mailstead: " + format_error(done.error())).c_str(), stderr);
  return exit_code(done.error());
}

}  // namespace

std::string not_empty(const std::string& text) {
  return text.empty() ? "an empty name" : "";
}

void add_spec_argument(CLI::App& verb, std::filesystem::path& spec) {
  verb.add_option("SPEC", spec, "the YAML file that describes the site")->required()->check(not_empty);
}

void add_profile_option(CLI::App& verb, Globals& globals) {
  verb.add_option("--profile", globals.options.profile,
                  "the kind of machine, instead of the spec's (see profiles/)");
}

void add_json_option(CLI::App& verb, Globals& globals) {
  verb.add_flag("--json", globals.json, "print the result as JSON");
}

Status require_disk_image(const std::filesystem::path& image) {
  std::error_code error;
  if (!std::filesystem::exists(image, error))
    return fail(ErrorKind::usage, fmt::format("there is no image {}", image.string()),
                "make one with: mailstead build SPEC -o IMAGE");
  if (image::looks_like_disk(image)) return ok();
  return fail(ErrorKind::usage, fmt::format("{} is not a disk image, or not for you to read", image.string()),
              "name a file that `mailstead build` has made");
}

Status require_document_place(const std::filesystem::path& file) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path folder = fs::absolute(file).parent_path();
  if (!fs::is_directory(folder, error)) {
    return fail(ErrorKind::io, fmt::format("cannot write {}: its folder does not exist", file.string()),
                fmt::format("mkdir -p {}", folder.string()));
  }
  if (!fs::exists(file, error)) return ok();
  if (!fs::is_regular_file(file, error))
    return fail(ErrorKind::usage, fmt::format("{} is not a file", file.string()), "name a file");
  // A slip of the hand must not cost an image, a spec or a letter.
  char first = '{';
  std::ifstream(file, std::ios::binary) >> first;
  if (first == '{') return ok();
  return fail(
      ErrorKind::usage,
      fmt::format("{} is there already, and is no JSON document: it is not overwritten", file.string()),
      "name another file, or remove this one");
}

void add_archive_options(CLI::App& verb, Globals& globals) {
  verb.add_option("--mirror", globals.options.mirror,
                  "where Debian's packages are: one address, or two for the main and the security archive "
                  "(default: $MAILSTEAD_MIRROR, or this machine's APT sources)");
  verb.add_flag("--offline", globals.options.offline, "use only what has been fetched before");
}

void add_snapshot_option(CLI::App& verb, Globals& globals) {
  verb.add_option("--snapshot", globals.options.snapshot,
                  "where versions are that have left the mirrors, or none to do without (default: "
                  "$MAILSTEAD_SNAPSHOT, or Debian's snapshot archive)");
}

int run_command_line(int argc, char** argv) {
  Globals globals;
  CLI::App app(
      "One YAML file becomes a whole mail server as a disk image: read-only, verified, reproducible.",
      "mailstead");
  app.set_version_flag("--version", fmt::format("mailstead {} ({})", MAILSTEAD_VERSION, kRevision));
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--progress", globals.progress,
                 "how to show work on stderr: auto, terminal, plain, json or none")
      ->check(CLI::IsMember({"auto", "terminal", "plain", "json", "none"}));
  app.footer("Exit codes: 0 done, 1 the work failed, 2 the command line or the spec is wrong.");
  add_init(app, globals);
  add_check(app, globals);
  add_passwd(app, globals);
  add_keys(app, globals);
  add_dns(app, globals);
  add_lock(app, globals);
  add_build(app, globals);
  add_base(app, globals);
  add_verify(app, globals);
  add_test(app, globals);
  add_run(app, globals);
  add_inspect(app, globals);
  add_diff(app, globals);
  add_sbom(app, globals);
  add_audit(app, globals);
  add_completion(app, globals);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help by std::cout.
    const bool asked_for = app.exit(error) == 0;
    if (!asked_for) return 2;
    if (std::cout.flush()) return 0;
    std::fputs("mailstead: the help could not be written to standard output\n", stderr);
    return 1;
  }
  try {
    return run_parsed(globals);
  } catch (const std::exception& error) {
    // The standard library throws when memory runs out; anything else that gets here is a bug of ours.
    std::fputs(fmt::format("mailstead: unexpected failure: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
}

}  // namespace mailstead::cli
