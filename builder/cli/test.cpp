// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/ownership.hpp"
#include "base/printable.hpp"
#include "cli/command.hpp"
#include "dns/zone.hpp"
#include "mailtest/run_scenarios.hpp"
#include "pipeline/project.hpp"
#include "render/services.hpp"
#include "spec/names.hpp"

namespace mailstead::cli {
namespace {

struct TestOptions {
  std::filesystem::path image;
  std::filesystem::path spec;
  std::filesystem::path passwords;
  std::filesystem::path logs;
  std::filesystem::path folder;
  std::vector<std::string> variables;
  std::vector<std::string> scenarios;
  double patience = 1.0;
  unsigned memory_mib = 1024;
  unsigned cpus = 2;
};

/// Reads lines of "address password" into variables named "password:alice@example.org".
/// The addresses are accounts of the site.
Status read_passwords(const std::filesystem::path& path, const spec::Site& site,
                      mailtest::Variables& variables) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
    return fail(ErrorKind::usage, fmt::format("there is no password file {}", path.string()));
  if ((status.st_mode & 077) != 0) {
    return fail(ErrorKind::usage, fmt::format("{} can be read by other users", path.string()),
                closing_hint(path, path.string()));
  }
  TRY(const std::string text, read_file(path, 1 << 20));
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    const auto space = line.find(' ');
    if (space == std::string::npos || space == 0 || space + 1 == line.size()) {
      // The line is not shown: it may be a password.
      return fail(ErrorKind::usage,
                  fmt::format("{}:{}: expected an address, a space and its password", path.string(), number));
    }
    const std::string written = line.substr(0, space);
    const auto address = spec::parse_address(written);
    if (!address ||
        std::ranges::none_of(site.accounts, [&](const auto& account) { return account.address == *address; }))
      return fail(ErrorKind::usage,
                  fmt::format("{}:{}: the site has no account {}", path.string(), number, printable(written)),
                  "write the address of an account of the spec; an alias is none");
    variables["password:" + address->text()] = line.substr(space + 1);
  }
  return ok();
}

/// "25 465 993": what the dialogue of ports expects.
std::string ports_text(const std::vector<overlay::SiteService>& services) {
  std::string ports;
  for (const auto& [service, offered] : services)
    if (offered) ports += fmt::format("{}{}", ports.empty() ? "" : " ", *service.port);
  return ports;
}

/// Reads "NAME=VALUE" of the command line, which everyone on this machine can see: no place for secrets.
Status take_variables(const std::vector<std::string>& words, mailtest::Variables& variables) {
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorKind::usage, fmt::format("--set '{}': expected NAME=VALUE", word));
    variables[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return ok();
}

void print_summary(const mailtest::Summary& summary, const std::filesystem::path& logs) {
  std::size_t failed = 0;
  for (const auto& scenario : summary.scenarios) {
    failed += scenario.passed ? 0 : 1;
    fmt::print("{} {:<28} {} ({:.1f} s)\n", scenario.passed ? "ok  " : "FAIL", scenario.name, scenario.title,
               static_cast<double>(scenario.duration.count()) / 1000);
    if (!scenario.passed) fmt::print("{}\n", scenario.failure);
  }
  for (const auto& boot : summary.boots) {
    fmt::print("boot by {} under {}: SMTP banner after {:.1f} s, IMAPS greeting after {:.1f} s{}\n",
               boot.firmware, boot.accelerator, static_cast<double>(boot.to_smtp.count()) / 1000,
               static_cast<double>(boot.to_imaps.count()) / 1000,
               boot.slowness > 1.05 ? fmt::format("; slowness {:.1f}", boot.slowness) : "");
  }
  for (const auto& other : summary.left_out)
    fmt::print("skipped: the scenarios in '{}' are for {}\n", other.folder, other.site);
  fmt::print("logs in {}\n", logs.string());
  fmt::print("{} passed, {} failed\n", summary.scenarios.size() - failed, failed);
  // Once more at the end, where one looks first and what a log that was shortened in its middle still has.
  for (const auto& scenario : summary.scenarios)
    if (!scenario.passed)
      fmt::print("FAIL {}: {}\n", scenario.name, scenario.failure.substr(0, scenario.failure.find('\n')));
}

void print_json(const mailtest::Summary& summary) {
  nlohmann::ordered_json json = {{"scenarios", nlohmann::json::array()},
                                 {"boots", nlohmann::json::array()},
                                 {"left_out", nlohmann::json::array()}};
  for (const auto& scenario : summary.scenarios) {
    json["scenarios"].push_back({{"name", scenario.name},
                                 {"title", scenario.title},
                                 {"passed", scenario.passed},
                                 {"milliseconds", scenario.duration.count()},
                                 {"failure", scenario.failure}});
  }
  for (const auto& boot : summary.boots) {
    json["boots"].push_back({{"firmware", boot.firmware},
                             {"accelerator", boot.accelerator},
                             {"to_smtp_milliseconds", boot.to_smtp.count()},
                             {"to_imaps_milliseconds", boot.to_imaps.count()},
                             {"slowness", boot.slowness}});
  }
  for (const auto& other : summary.left_out)
    json["left_out"].push_back({{"folder", other.folder}, {"site", other.site}});
  fmt::print("{}", json_document(json));
}

Status test_image(const TestOptions& wanted, Globals& globals) {
  CHECK_OK(require_startable_image(wanted.image));
  mailtest::Options options;
  TRY(options.cache, cache_directory());
  TRY(const auto data, data_directory());
  TRY(const auto project, pipeline::open_project(wanted.spec, globals.options));
  const spec::Site& site = project.site;
  TRY(const auto services, render::site_services(site, project.platform.overlays));
  TRY(const auto records, dns::zone_records(site, services));
  options.image = wanted.image;
  options.site = site.hostname;
  options.scenarios = wanted.folder.empty() ? data / "qemu-tests" : wanted.folder;
  options.oracles = data / "qemu-tests" / "oracles";
  options.folder = wanted.logs.empty() ? std::filesystem::path(wanted.image.string() + ".test") : wanted.logs;
  options.only = wanted.scenarios;
  options.zone_json = dns::to_json(records);
  options.time_scale = wanted.patience;
  options.memory_mib = wanted.memory_mib;
  options.cpus = wanted.cpus;
  if (!wanted.passwords.empty()) CHECK_OK(read_passwords(wanted.passwords, site, options.variables));
  options.variables["ports"] = ports_text(services);
  CHECK_OK(take_variables(wanted.variables, options.variables));
  options.surroundings = mailtest::surroundings_of(site, options.variables);
  TRY(const mailtest::Summary summary, mailtest::run_scenarios(options, *globals.reporter));
  if (globals.json) {
    print_json(summary);
  } else {
    print_summary(summary, options.folder);
  }
  if (summary.passed()) return ok();
  return fail(ErrorKind::tool, "the image did not pass its tests");
}

/// Range lets "nan" pass: no comparison with it holds.
std::string finite(const std::string& text) {
  return std::isfinite(std::strtod(text.c_str(), nullptr)) ? std::string() : "not a finite number: " + text;
}

}  // namespace

void add_test(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand(
      "test",
      "boot the unchanged image in QEMU and run the scripted conversations in qemu-tests/ against it");
  auto options = std::make_shared<TestOptions>();
  verb->add_option("IMAGE", options->image, "the disk image; it is not changed")
      ->required()
      ->check(not_empty);
  verb->add_option("SCENARIO", options->scenarios,
                   "a folder in qemu-tests/, folder/name, or part of a name (default: all for this site; "
                   "any: those for every site)");
  verb->add_option("--spec", options->spec,
                   "the spec of the site: its DNS records are published in the network of the test")
      ->type_name("FILE")
      ->required();
  verb->add_option("--passwords", options->passwords,
                   "file with one line \"ADDRESS PASSWORD\" for each account, readable by you only")
      ->type_name("FILE");
  verb->add_option("--scenarios", options->folder,
                   "folder of conversations (default: qemu-tests/; its README.md describes them)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  verb->add_option("--set", options->variables, "a variable for the conversations; not for secrets")
      ->type_name("NAME=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  verb->add_option("--logs", options->logs,
                   "folder for the logs of console, journal and conversations (default: IMAGE.test)")
      ->type_name("DIR");
  verb->add_option("--patience", options->patience, "multiply all time limits by this, for slow machines")
      ->check(CLI::Range(0.1, 100.0))
      ->check(finite);
  verb->add_option("--memory", options->memory_mib, "MiB of memory")
      ->check(CLI::Range(256, 65536))
      ->capture_default_str();
  verb->add_option("--cpus", options->cpus, "processors of the machine")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  add_json_option(*verb, globals);
  verb->footer(examples({{"test", "mail.img", "--spec", "site/mail.yaml", "--passwords", "site/passwords"}}));
  verb->callback(
      [&globals, options] { globals.work = [&globals, options] { return test_image(*options, globals); }; });
}

}  // namespace mailstead::cli
