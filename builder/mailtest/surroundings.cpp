// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/surroundings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace mailstead::mailtest {
namespace {

/// The first address of a family as the spec has it, "192.0.2.5/24".
std::optional<Family> fixed_family(const spec::Network& network, bool v6) {
  for (const std::string& written : network.addresses) {
    if (is_ipv6(written) != v6) continue;
    const std::size_t slash = written.find('/');
    Family family{written.substr(0, slash), (v6 ? network.gateway6 : network.gateway4).value_or(""), 0,
                  Addressing::silent};
    std::from_chars(written.data() + slash + 1, written.data() + written.size(), family.prefix);
    return family;
  }
  return std::nullopt;
}

Status check_card(const spec::Card& card) {
  if (card.name.empty()) return ok();
  return fail(
      ErrorKind::usage,
      fmt::format("the spec names the card '{}', and a virtual machine has no card of that name", card.name),
      "use its Ethernet address (`ip link` shows it after link/ether), which the virtual machine gets");
}

Result<PublicNetwork> public_network(const spec::Network& network) {
  CHECK_OK(check_card(network.card));
  PublicNetwork made;
  if (!network.card.mac.empty()) made.mac = network.card.mac;
  if (!network.dhcp4) made.v4 = fixed_family(network, false);
  if (!network.dhcp6) made.v6 = fixed_family(network, true);
  for (const auto* family : {&made.v4, &made.v6})
    if (*family &&
        ((*family)->address.starts_with("198.51.100.") || (*family)->address.starts_with("2001:db8:51:")))
      return fail(
          ErrorKind::usage,
          fmt::format("the test network uses {} for other hosts (RFC 5737, RFC 3849)", (*family)->address),
          "replace this address, which is reserved for documentation, by that of your provider");
  for (const std::string& server : network.nameservers)
    if ((!made.v4 || server != made.v4->gateway) && (!made.v6 || server != made.v6->gateway))
      made.name_servers.push_back(server);
  return made;
}

SiteTables tables_of(const spec::Site& site, const PublicNetwork& network, const Variables& given) {
  SiteTables tables;
  if (network.v4) tables["addresses"].push_back({network.v4->address, kStranger});
  if (network.v6) tables["addresses"].push_back({network.v6->address, kStranger6});
  for (const spec::Domain& domain : site.domains)
    tables["domains"].push_back({domain.name, domain.catch_all ? "yes" : "no"});
  for (const spec::Account& account : site.accounts) {
    const std::string name = account.address.text();
    if (!given.contains("password:" + name)) continue;
    tables["logins"].push_back({name});
    if (!account.sieve && !account.send_only) tables["mailboxes"].push_back({name});
    const auto submits = [&](const char* port, const char* way) {
      auto& rows = tables["submission"];
      rows.push_back({name, port, way, std::to_string(rows.size() + 1)});
    };
    if (site.ports.submissions) submits("465", "tls");
    if (site.ports.submission) submits("587", "starttls");
  }
  return tables;
}

}  // namespace

Result<Surroundings> surroundings_of(const spec::Site& site, const Variables& given) {
  Surroundings made;
  TRY(made.network, public_network(site.network));
  if (const auto& wanted = site.network.private_network) {
    CHECK_OK(check_card(wanted->card));
    made.private_network =
        PrivateNetwork{wanted->dhcp ? Addressing::dhcp : Addressing::silent, false, wanted->card.mac};
  }
  if (site.network.nameservers.empty()) made.names = NameService::root;
  made.variables["machine"] = made.network.address();
  made.variables["outside"] = made.network.v4 ? kStranger : kStranger6;
  made.tables = tables_of(site, made.network, given);
  return made;
}

}  // namespace mailstead::mailtest
