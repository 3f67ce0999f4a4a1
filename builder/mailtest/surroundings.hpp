// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mailtest/text.hpp"
#include "spec/site.hpp"

namespace mailstead::mailtest {

/// The addresses of every world (RFC 5737, RFC 3849): the appliance's own network and those of its peers.
inline constexpr const char* kGateway = "203.0.113.1";
inline constexpr const char* kGateway6 = "2001:db8:113::1";
inline constexpr const char* kAppliance = "203.0.113.10";
inline constexpr const char* kAppliance6 = "2001:db8:113::10";
inline constexpr const char* kGatewayOnLink = "fe80::1";  ///< as routers of clouds have
inline constexpr const char* kApplianceMac = "52:54:00:6d:73:01";
inline constexpr const char* kPeers = "198.51.100.0/24";
inline constexpr const char* kPeers6 = "2001:db8:51::/48";
/// A server of other people's, which the worlds' names know.
inline constexpr const char* kStranger = "198.51.100.7";
inline constexpr const char* kStranger6 = "2001:db8:51::7";
inline constexpr const char* kOtherStranger6 = "2001:db8:51::1";
/// The network between this host and a second card (RFC 1918, RFC 4193).
inline constexpr const char* kPrivateHost = "10.113.0.1";
inline constexpr const char* kPrivateHost6 = "fd00:113::1";
inline constexpr const char* kPrivateAppliance = "10.113.0.10";
inline constexpr const char* kPrivateAppliance6 = "fd00:113::10";
inline constexpr const char* kPrivateMac = "52:54:00:6d:73:02";

/// Which servers answer questions for names.
enum class NameService {
  gateway,  ///< a forwarder at the gateway's address, like a provider's
  root,     ///< the root servers, at their real addresses
};

/// How the machine gets its addresses.
enum class Addressing {
  dhcp,    ///< DHCP, DHCPv6 and router advertisements
  silent,  ///< the machine has addresses and gateways configured
};

inline bool is_ipv6(std::string_view address) {
  return address.find(':') != std::string_view::npos;
}

/// The machine's public network, one family of addresses.
struct Family {
  std::string address;  ///< of the machine
  std::string gateway;  ///< of this host, in the same network, or on the link
  unsigned prefix = 0;  ///< bits; 32 or 128: the machine's network is itself
  Addressing addressing = Addressing::dhcp;
};

/// The network that leads the machine to the world.
struct PublicNetwork {
  std::string mac = kApplianceMac;
  std::optional<Family> v4 = Family{kAppliance, kGateway, 24, Addressing::dhcp};
  std::optional<Family> v6 = Family{kAppliance6, kGateway6, 64, Addressing::dhcp};
  /// Further addresses of this host, at which the gateway's name server answers.
  std::vector<std::string> name_servers = {};

  /// This host's IPv4 address in it, where the name server is asked whether it is ready.
  std::string gateway4() const { return v4 ? v4->gateway : kGateway; }
  /// The first address of the machine, which tells when it has started.
  const std::string& address() const { return v4 ? v4->address : v6->address; }
};

/// A second card of the machine, on a private network.
struct PrivateNetwork {
  Addressing addressing = Addressing::dhcp;
  bool first = false;  ///< it comes before the other card on the bus
  std::string mac = kPrivateMac;
};

/// A table that is made from the site: `each … in site:NAME`.
struct SiteTable {
  const char* name;
  std::size_t columns;
};
inline constexpr SiteTable kSiteTables[] = {
    {"addresses", 2},   // an address of the machine, and a stranger's address of the same family
    {"domains", 2},     // a domain of the site, and whether one account gets all of its mail: yes or no
    {"logins", 1},      // an account whose password is given
    {"mailboxes", 1},   // the same, if it gets mail and no script of its own sorts it
    {"submission", 4},  // an account whose password is given, a port, tls or starttls, and the row's number
};
/// The tables that have rows, by name.
using SiteTables = std::map<std::string, std::vector<std::vector<std::string>>, std::less<>>;

/// What a world with `site any` and its dialogues take from the site.
struct Surroundings {
  PublicNetwork network;
  std::optional<PrivateNetwork> private_network;
  NameService names = NameService::gateway;
  SiteTables tables;
  /// machine: the address of the machine, IPv4 if it has one; outside: a stranger's of the same family.
  Variables variables;
};

/// What the site is surrounded by. `given`: variables "password:ADDRESS" tell which passwords are known.
/// Errors (ErrorKind::usage): a card is called by its name, which it does not have in a virtual machine; an
/// address is one of those that the world needs for others.
Result<Surroundings> surroundings_of(const spec::Site& site, const Variables& given);

}  // namespace mailstead::mailtest
