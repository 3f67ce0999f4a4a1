// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/cli.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <iostream>
#include <new>
#include <string_view>
#include <system_error>

#include "base/interrupt.hpp"
#include "base/limits.hpp"
#include "base/revision.hpp"
#include "base/threads.hpp"
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

int print_error(const Error& error) {
  std::fflush(stdout);
  std::fputs(("mailstead: " + format_error(explain_limit(error))).c_str(), stderr);
  return exit_code(error);
}

/// Where nothing can pass on that no memory is left, as in a destructor: the sentence, and no core.
[[noreturn]] void end_where_thrown() {
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    constexpr std::string_view kText = "mailstead: no memory is left\n";
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, kText.data(), kText.size());
    ::_exit(1);
  } catch (...) {
  }
  std::abort();
}

int run_parsed(Globals& globals) {
  // What others could write to, others could let us build from.
  ::umask(::umask(0) | 022);
  globals.reporter = make_reporter(globals.progress);
  globals.options.now = std::time(nullptr);
  catch_interrupts();
  const Status done = globals.work();
  globals.reporter.reset();  // ends the progress line before anything else is printed
  if (done) return results_written() ? globals.exit_code : 1;
  return print_error(done.error());
}

}  // namespace

std::string not_empty(const std::string& text) {
  return text.empty() ? "an empty name" : "";
}

void add_spec_argument(CLI::App& verb, std::filesystem::path& spec) {
  verb.add_option("SPEC", spec, "the YAML file that describes the site, not - for standard input")
      ->required()
      ->check([](const std::string& name) {
        return name == "-"
                   ? "a spec is not read from standard input, as its keys and its lock lie beside it: name "
                     "the file (./- for one of that name)"
                   : not_empty(name);
      });
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
  std::set_terminate(end_where_thrown);
  Globals globals;
  CLI::App app(
      "One YAML file becomes a whole mail server as a disk image: read-only, verified, reproducible.",
      "mailstead");
  app.set_version_flag("-v,--version", fmt::format("mailstead {} ({})", MAILSTEAD_VERSION, kRevision));
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--progress", globals.progress,
                 "how to show work on stderr: auto, terminal, plain, json or none")
      ->check(CLI::IsMember({"auto", "terminal", "plain", "json", "none"}));
  app.footer("Exit codes: 0 done, 1 the work failed, 2 the command line or the spec is wrong.");
  add_init(app, globals);
  add_check(app, globals);
  add_explain(app, globals);
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
  add_help(app, globals);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return print_error(usage_error(app, error, argc, argv));
    app.exit(error);  // prints help or version by std::cout
    if (std::cout.flush()) return 0;
    std::fputs("mailstead: the help could not be written to standard output\n", stderr);
    return 1;
  }
  try {
    return run_parsed(globals);
  } catch (const std::system_error& error) {
    return print_error(no_more_threads(error));
  } catch (const std::bad_alloc&) {
    return print_error(no_memory());
  } catch (const std::exception& error) {
    // What gets here is a bug of ours.
    std::fputs(fmt::format("mailstead: unexpected failure: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
}

}  // namespace mailstead::cli
