// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <unistd.h>

#include <map>

#include "base/files.hpp"
#include "base/printable.hpp"
#include "base/program.hpp"
#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "delivery/describe.hpp"
#include "keys/keys.hpp"
#include "lock/lock_file.hpp"
#include "pipeline/build.hpp"
#include "pipeline/rendered.hpp"
#include "pipeline/security.hpp"
#include "render/services.hpp"

namespace mailstead::cli {
namespace {

std::vector<std::string> open_ports(const std::vector<overlay::SiteService>& services) {
  std::vector<std::string> ports;
  for (const auto& [service, offered] : services)
    if (offered) ports.push_back(fmt::format("{} ({})", *service.port, service.name));
  return ports;
}

std::string describe_addresses(const spec::Network& network) {
  std::vector<std::string> ways;
  if (network.dhcp4 && network.dhcp6)
    ways.push_back("address by DHCP and router advertisement");
  else if (network.dhcp4)
    ways.push_back("IPv4 address by DHCP");
  else if (network.dhcp6)
    ways.push_back("IPv6 address by router advertisement and DHCPv6");
  ways.insert(ways.end(), network.addresses.begin(), network.addresses.end());
  return fmt::format("{}", fmt::join(ways, ", "));
}

std::string describe_private(const spec::PrivateNetwork& network) {
  return fmt::format("{}, on the card {}",
                     network.dhcp ? "address by DHCP" : fmt::format("{}", fmt::join(network.addresses, ", ")),
                     network.card.text());
}

std::string describe_network(const spec::Network& network) {
  std::string text = describe_addresses(network);
  text += network.card.named() ? fmt::format("; on the card {}", network.card.text())
                               : "; on the first Ethernet card of the machine, others are left alone";
  text += network.nameservers.empty() ? "; resolves from the root, with DNSSEC"
                                      : fmt::format("; asks {}", fmt::join(network.nameservers, ", "));
  return text;
}

/// Who gets the mail of addresses that are more than an account's own: "info@example.org →
/// alice@example.org".
std::vector<std::string> describe_mail(const spec::Site& site) {
  constexpr std::size_t kMaxLines = 40;
  const auto mail = delivery::describe(delivery::make_graph(site), site.domains, kMaxLines);
  std::vector<std::string> lines;
  for (const auto& [address, receivers] : mail.lines)
    lines.push_back(fmt::format("{} → {}", address, receivers));
  if (mail.left_out > 0) lines.push_back(fmt::format("… and {} more", mail.left_out));
  return lines;
}

std::string count_accounts(std::size_t count) {
  return fmt::format("{} account{}", count, count == 1 ? "" : "s");
}

/// The sum of the quotas and what the disk needs; nothing if no account has a quota.
std::string describe_quotas(const spec::Site& site) {
  std::uint64_t sum = 0;
  std::size_t limited = 0;
  std::size_t unlimited = 0;
  for (const spec::Account& account : site.accounts) {
    if (account.send_only) continue;
    const std::uint64_t quota = account.quota_bytes.value_or(0);
    sum = sum > UINT64_MAX - quota ? UINT64_MAX : sum + quota;
    ++(quota > 0 ? limited : unlimited);
  }
  if (limited == 0) return {};
  return fmt::format("{:.1f} GiB for {}{}; the disk needs {}, plus 2 GiB for the system",
                     static_cast<double>(sum) / (1u << 30), count_accounts(limited),
                     unlimited == 0 ? "" : fmt::format(", {} without a quota", count_accounts(unlimited)),
                     unlimited == 0 ? "that" : "more than that");
}

void print_summary(const pipeline::Project& project, const std::vector<overlay::SiteService>& services) {
  const spec::Site& site = project.site;
  constexpr std::size_t kIndent = 12;  // of the second column
  const std::size_t width = terminal_width(STDOUT_FILENO);
  const auto line = [width](const std::string& text) {
    fmt::print("{}\n", wrap_line(printable(text), width, kIndent));
  };
  const profile::Profile& profile = project.platform.profile;
  fmt::print("{} is a valid spec. The server will be:\n", printable(site.file.filename().string()));
  line(fmt::format("  host      {} ({}, {} {})", site.hostname, profile.name, profile.suite,
                   profile.architecture));
  line(fmt::format("  network   {}", describe_network(site.network)));
  if (const auto& inner = site.network.private_network)
    line(fmt::format("  private   {}", describe_private(*inner)));
  line(fmt::format("  ports     {}", fmt::join(open_ports(services), ", ")));
  line(fmt::format("  tls       {}", site.tls.mode == spec::TlsMode::files ? site.tls.certificate.string()
                                                                           : "a self-signed certificate"));
  std::map<std::string, std::size_t> accounts;
  for (const spec::Account& account : site.accounts) ++accounts[account.address.domain];
  for (const spec::Domain& domain : site.domains) {
    std::vector<std::string> selectors;
    selectors.reserve(domain.dkim.size());
    for (const spec::DkimKey& key : domain.dkim) selectors.push_back(key.selector);
    line(fmt::format("  domain    {}: {}, DKIM {}", domain.unicode, count_accounts(accounts[domain.name]),
                     selectors.empty() ? "off" : fmt::format("{}", fmt::join(selectors, " "))));
  }
  for (const std::string& way : describe_mail(site)) line("  mail      " + way);
  if (const std::string quotas = describe_quotas(site); !quotas.empty()) line("  quotas    " + quotas);
  line(site.updates.ssh ? "  updates   by SSH, with `mailstead update --to`"
                        : "  updates   only from a rescue system: with 'updates: {ssh: true}', `mailstead "
                          "update --to` works");
  const auto missing = keys::missing_keys(site);
  if (!missing.empty()) {
    line(fmt::format("  keys      {} missing: `{}` makes them", missing.size(),
                     own_command({"keys", site.file.string()})));
  }
}

/// Of what the lock beside the spec has, if there is one.
void warn_of_security_updates(const pipeline::Project& project, const Globals& globals) {
  const auto lock = lock::load_lock(project.lock_file);
  if (!lock) return;
  pipeline::warn_of_security_updates(
      pipeline::subject_of(*lock),
      fmt::format("`{}` pins the fixed versions",
                  own_command({"lock", project.site.file.string(), "--update"})),
      globals.options, *globals.reporter);
}

}  // namespace

void add_check(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand("check", "validate a spec and summarise the server it describes");
  auto spec = std::make_shared<std::filesystem::path>();
  auto folder = std::make_shared<std::filesystem::path>();
  add_spec_argument(*verb, *spec);
  add_profile_option(*verb, globals);
  add_archive_options(*verb, globals);
  verb->add_option("--rendered", *folder,
                   "also write the configuration files of the image, without keys, to this new folder")
      ->type_name("DIR");
  verb->footer(examples({{"check", "site/mail.yaml"}, {"explain", "accounts.quota"}},
                        "`explain` describes the keys of a spec."));
  verb->callback([&globals, spec, folder] {
    globals.work = [&globals, spec, folder]() -> Status {
      TRY(const auto project, pipeline::open_project(*spec, globals.options));
      CHECK_OK(pipeline::check_keys(project, globals.options, pipeline::Untimely::refuse, *globals.reporter));
      pipeline::warn_of_choices(project, *globals.reporter);
      TRY(const bool compiled, pipeline::check_scripts_if_built(project, *globals.reporter));
      warn_of_security_updates(project, globals);
      TRY(const auto services, render::site_services(project.site, project.platform.overlays));
      print_summary(project, services);
      if (!compiled) fmt::print("  sieve     scripts are compiled at the first build\n");
      if (!folder->empty()) {
        TRY(const std::size_t files, pipeline::write_rendered(project, *folder));
        fmt::print("{} files written to {}\n", files, printable(folder->string()));
      }
      globals.reporter->info(fmt::format("{} describes every key, {} what to set up around the server.",
                                         reference_of_keys(), document("mail-administrator.md")));
      return ok();
    };
  });
}

}  // namespace mailstead::cli
