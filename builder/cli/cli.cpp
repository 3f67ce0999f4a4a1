// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/cli.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <map>
#include <new>
#include <string_view>
#include <system_error>

#include "base/interrupt.hpp"
#include "base/limits.hpp"
#include "base/program.hpp"
#include "base/revision.hpp"
#include "base/terminal.hpp"
#include "base/threads.hpp"
#include "cli/command.hpp"
#include "image/image.hpp"
#include "inspect/appliance.hpp"
#include "platform/architecture.hpp"
#include "vm/machine.hpp"

namespace mailstead::cli {
namespace {

std::unique_ptr<Reporter> make_reporter(const std::string& progress) {
  if (progress == "json") return make_json_reporter();
  if (progress == "none") return make_quiet_reporter();
  if (progress == "terminal") return make_terminal_reporter();
  if (progress == "auto" && can_redraw(STDERR_FILENO)) return make_terminal_reporter();
  return make_plain_reporter();
}

constexpr std::string_view kPrefix = "mailstead: ";

int print_error(const Error& error) {
  std::fflush(stdout);
  const std::string text = wrap_message(fmt::format("{}{}", kPrefix, format_error(explain_limit(error))),
                                        terminal_width(STDERR_FILENO));
  if (has_color(STDERR_FILENO))
    std::fputs(fmt::format("\033[31m{}\033[0m{}", kPrefix.substr(0, kPrefix.size() - 1),
                           text.substr(kPrefix.size() - 1))
                   .c_str(),
               stderr);
  else
    std::fputs(text.c_str(), stderr);
  // What was stopped fails in many ways, as its programs are stopped, too.
  return stop_signal() != 0 ? 128 + stop_signal() : exit_code(error);
}

/// What `reason`, an errno, made of the results.
int not_written(int reason) {
  return print_error(
      {ErrorKind::io,
       fmt::format("the result could not be written to standard output: {}", std::strerror(reason)),
       {},
       {},
       {},
       {}});
}

/// The exit code of work that went well. Results that nobody got are no success.
int end_with(int exit_code) {
  const bool failed_before = std::ferror(stdout) != 0;
  if (std::fflush(stdout) != 0) return not_written(errno);
  return failed_before ? not_written(EIO) : exit_code;
}

/// fmt::print throws what standard output refuses; the standard library, that the system gives no more
/// threads.
int print_system_error(const std::system_error& error) {
  if (std::ferror(stdout) != 0) return not_written(error.code().value());
  if (error.code() == std::errc::resource_unavailable_try_again) return print_error(no_more_threads(error));
  return print_error({ErrorKind::io, error.what(), {}, {}, {}, {}});
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

void add_color_option(CLI::App& app) {
  const std::map<std::string, Color> choices{
      {"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}};
  app.add_option_function<std::string>(
         "--color", [choices](const std::string& choice) { set_color(choices.at(choice)); },
         "whether to use colours; auto: on a terminal, unless NO_COLOR is set")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->trigger_on_parse();  // for the errors of this very command line, too
}

int run_parsed(Globals& globals) {
  // What others could write to, others could let us build from.
  ::umask(::umask(0) | 022);
  allow_more_files();
  globals.reporter = make_reporter(globals.progress);
  globals.options.now = std::time(nullptr);
  catch_interrupts();
  const Status done = globals.work();
  globals.reporter.reset();  // ends the progress line before anything else is printed
  return done ? end_with(globals.exit_code) : print_error(done.error());
}

}  // namespace

std::string not_empty(const std::string& text) {
  return text.empty() ? "an empty name" : "";
}

void add_spec_argument(CLI::App& verb, std::filesystem::path& spec) {
  verb.add_option("SPEC", spec, "the YAML file that describes the site")
      ->required()
      ->check([](const std::string& name) {
        return name == "-" ? "a spec cannot be read from standard input, because its keys and its lock lie "
                             "beside it: "
                             "name the file (./- for a file of that name)"
                           : not_empty(name);
      });
}

void add_profile_option(CLI::App& verb, Globals& globals) {
  verb.add_option("--profile", globals.options.profile,
                  "the kind of machine, instead of the profile in the spec (see profiles/)")
      ->type_name("NAME");
}

void add_json_option(CLI::App& verb, Globals& globals) {
  verb.add_flag("--json", globals.json, "print the result as JSON");
}

Status require_disk_image(const std::filesystem::path& image) {
  std::error_code error;
  if (!std::filesystem::exists(image, error))
    return fail(ErrorKind::usage, fmt::format("there is no image {}", image.string()),
                fmt::format("build one with `{}`", own_command({"build", "SPEC", "-o", "IMAGE"})));
  if (image::looks_like_disk(image)) return ok();
  return fail(ErrorKind::usage, fmt::format("{} is not a disk image, or you may not read it", image.string()),
              fmt::format("name a file that `{}` wrote", own_command({"build"})));
}

Status require_startable_image(const std::filesystem::path& file) {
  CHECK_OK(require_disk_image(file));
  // An image that cannot be read is started all the same: its console says what is wrong.
  const auto image = inspect::DiskImage::open(file);
  if (!image) return ok();
  const auto facts = inspect::read_public_facts(*image);
  const std::string started = platform::facts_of(vm::kArchitecture).debian;
  if (!facts || facts->base.architecture == started) return ok();
  return fail(ErrorKind::usage,
              fmt::format("{} is for {}; only images for {} can be started here", file.string(),
                          facts->base.architecture, started),
              fmt::format("`{}` and `{}` read it", own_command({"inspect"}), own_command({"verify"})));
}

void add_archive_options(CLI::App& verb, Globals& globals) {
  verb.add_option("--mirror", globals.options.mirror,
                  "the Debian mirror: one address, or two for the main and the security archive "
                  "(default: $MAILSTEAD_MIRROR, or the APT sources of this machine)")
      ->type_name("ADDRESS");
  verb.add_flag("--offline", globals.options.offline, "use only what has been downloaded before");
}

void add_snapshot_option(CLI::App& verb, Globals& globals) {
  verb.add_option("--snapshot", globals.options.snapshot,
                  "the archive of versions that the mirrors no longer have, or none (default: "
                  "$MAILSTEAD_SNAPSHOT, or Debian's snapshot archive)")
      ->type_name("ADDRESS");
}

int run_command_line(int argc, char** argv) {
  std::set_terminate(end_where_thrown);
  set_program_name(argc > 0 ? argv[0] : nullptr);
  Globals globals;
  CLI::App app(
      "Mailstead turns one YAML file into a mail server: a disk image that is read-only, verified and "
      "reproducible.",
      "mailstead");
  app.set_version_flag("-v,--version", fmt::format("mailstead {} ({})", MAILSTEAD_VERSION, kRevision));
  app.formatter(make_formatter());  // before commands are added, which take it over
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--progress", globals.progress, "how to show progress on stderr")
      ->check(CLI::IsMember({"auto", "terminal", "plain", "json", "none"}));
  add_color_option(app);
  app.footer(examples(
      {{"init", "site"}, {"build", "site/mail.yaml", "-o", "mail.img"}, {"help", "build"}},
      "Exit codes: 0 done, 1 the work failed, 2 the command line or the spec is wrong, 130 stopped by "
      "Ctrl-C."));
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
  add_update(app, globals);
  add_rollback(app, globals);
  add_status(app, globals);
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
    globals.work = [&app, version = std::string(error.what()),
                    help = dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr] {
      if (help)
        print_help(app, app.get_subcommands().empty() ? nullptr : app.get_subcommands().front());
      else
        fmt::print("{}\n", version);
      return ok();
    };
  }
  try {
    return run_parsed(globals);
  } catch (const std::system_error& error) {
    globals.reporter.reset();  // ends the progress line
    return print_system_error(error);
  } catch (const std::bad_alloc&) {
    return print_error(no_memory());
  } catch (const std::exception& error) {
    // What gets here is a bug of ours.
    std::fputs(fmt::format("mailstead: unexpected failure: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
}

}  // namespace mailstead::cli
