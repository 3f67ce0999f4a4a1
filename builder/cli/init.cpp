// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/printable.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"
#include "cli/interview.hpp"
#include "init/create.hpp"
#include "spec/keys.hpp"

namespace mailstead::cli {
namespace {

void say_next_steps(const std::filesystem::path& folder, const init::Answers& answers, Reporter& reporter) {
  const std::string spec = (folder / init::kSpec).string();
  const std::string image = (folder / "mail.img").string();
  std::vector<std::string> run{"run", image};
  // QEMU's own network leads to a fixed address only if it is told, and to one of IPv4.
  if (std::ranges::any_of(answers.addresses,
                          [](const auto& address) { return address.find(':') == std::string::npos; }))
    run.insert(run.end(), {"--spec", spec});
  const std::array<std::pair<const char*, std::string>, 4> steps{
      {{"see what the server will be, again after each change", own_command({"check", spec})},
       {"print the DNS records to publish", own_command({"dns", spec})},
       {"build the disk image", own_command({"build", spec, "-o", image})},
       {"boot it in QEMU to try it", own_command(run)}}};
  reporter.info("Next:");
  for (const auto& [purpose, command] : steps) reporter.info(fmt::format("  {}:\n    {}", purpose, command));
  reporter.info(
      "Then write the image to the disk of the machine (dd), or upload it to your provider, and start it.");
}

Status make_site(const InitOptions& options, Globals& globals) {
  CHECK_OK(init::check_place(options.folder));
  TRY(init::Answers answers, interview(options));
  TRY(const auto made_up, set_passwords(answers, options.generate_passwords));
  TRY(const std::size_t keys, init::create_site(options.folder, answers));
  Reporter& reporter = *globals.reporter;
  reporter.info(
      fmt::format("Made {} and {} key files in {}. Keep the keys secret and safe; git leaves them out.",
                  printable((options.folder / init::kSpec).string()), keys,
                  printable((options.folder / spec::kSecrets).string())));
  if (!made_up.empty())
    reporter.info("These passwords were generated. They are not stored: hand them out now.");
  for (const MadeUp& one : made_up) fmt::print("{} {}\n", one.address, one.password);
  std::fflush(stdout);
  say_next_steps(options.folder, answers, reporter);
  return ok();
}

/// An option that takes one value each time it is given, so that DIR may stand behind it.
CLI::Option* add_repeatable(CLI::App& verb, const char* flag, std::vector<std::string>& values,
                            const char* type, const char* description) {
  return verb.add_option(flag, values, description)
      ->type_name(type)
      ->take_all()
      ->allow_extra_args(false)
      ->check(not_empty);
}

void add_single(CLI::App& verb, const char* flag, std::string& value, const std::string& description) {
  verb.add_option(flag, value, description)->type_name("NAME")->check(not_empty);
}

void add_network_options(CLI::App& verb, InitOptions& options) {
  auto* dhcp = verb.add_flag("--dhcp", options.dhcp, "get the addresses by DHCP and router advertisement");
  auto* address = add_repeatable(verb, "--address", options.addresses, "ADDRESS/PREFIX",
                                 "a fixed address, such as 192.0.2.5/24; may be repeated");
  auto* gateway =
      add_repeatable(verb, "--gateway", options.gateways, "ADDRESS", "the gateway of fixed addresses");
  address->needs(gateway)->excludes(dhcp);
  gateway->needs(address)->excludes(dhcp);
}

}  // namespace

void add_init(CLI::App& app, Globals& globals) {
  CLI::App* verb =
      app.add_subcommand("init", "create a first spec and its keys from your answers, or from options");
  auto options = std::make_shared<InitOptions>();
  verb->add_option("DIR", options->folder, "the folder of the site: a new folder, or one without a spec")
      ->required()
      ->check(not_empty);
  add_repeatable(*verb, "--domain", options->domains, "NAME",
                 "a domain to receive mail for; may be repeated");
  add_single(*verb, "--hostname", options->hostname,
             "the name of the machine (default: mail. and the first domain)");
  add_repeatable(*verb, "--account", options->people, "ADDRESS",
                 "the address of a mailbox; the first is postmaster, too; may be repeated");
  add_network_options(*verb, *options);
  add_repeatable(*verb, "--ssh-key", options->ssh_keys, "KEY|FILE",
                 "a public key, or a file with public keys, to log in by SSH as root");
  add_single(*verb, "--time-zone", options->time_zone,
             fmt::format("the time zone of the logs (default: {})", spec::key("time_zone").fallback));
  verb->add_flag("--generate-passwords", options->generate_passwords,
                 "generate the passwords and print them once, instead of asking for them");
  verb->footer(
      examples({{"init", "site"},
                {"init", "site", "--domain", "example.org", "--account", "alice@example.org", "--dhcp",
                 "--generate-passwords"}},
               "Without a terminal, init reads the password of each account from a line of standard input."));
  verb->callback(
      [&globals, options] { globals.work = [&globals, options] { return make_site(*options, globals); }; });
}

}  // namespace mailstead::cli
