// SPDX-License-Identifier: GPL-3.0-or-later
// The sections about the machine: network, tls, ssh, updates, ports.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/run.hpp"
#include "spec/formats.hpp"
#include "spec/network.hpp"
#include "spec/reading.hpp"

namespace mailstead::spec {
namespace {

using yaml::quote;
using yaml::Value;

/// An address that no server outside can reach: RFC 1918, RFC 6598, RFC 4193.
bool is_private(const IpAddress& address) {
  const std::uint8_t* b = address.bytes;
  if (address.v6) return (b[0] & 0xfe) == 0xfc;
  return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
         (b[0] == 100 && (b[1] & 0xc0) == 64);
}

void read_gateways(Reading& reading, const Field& list, const std::vector<InterfaceAddress>& addresses) {
  for (const Value& item : reading.items(list)) {
    const auto text = item.as_string(reading.problems);
    if (!text) continue;
    const auto gateway = reading.accept(parse_ip(*text), item);
    if (!gateway) continue;
    auto& slot = gateway->v6 ? reading.site.network.gateway6 : reading.site.network.gateway4;
    if (slot) {
      reading.problems.add(item.error(fmt::format("a second gateway for {}", gateway->v6 ? "IPv6" : "IPv4")));
      continue;
    }
    slot = gateway->text;
    const bool own = std::any_of(addresses.begin(), addresses.end(), [&](const InterfaceAddress& address) {
      return address.ip.text == gateway->text;
    });
    const bool reachable =
        (gateway->v6 && is_link_local(*gateway)) ||
        std::any_of(addresses.begin(), addresses.end(),
                    [&](const InterfaceAddress& address) { return address.holds(*gateway); });
    if (own) {
      reading.problems.add(
          item.error(fmt::format("the gateway {} is an address of the appliance itself", gateway->text)));
    } else if (!reachable && !addresses.empty()) {
      const unsigned whole = gateway->v6 ? 128 : 32;
      const auto of_family = [&](const InterfaceAddress& address) { return address.ip.v6 == gateway->v6; };
      const bool single =
          std::any_of(addresses.begin(), addresses.end(), of_family) &&
          std::none_of(addresses.begin(), addresses.end(), [&](const InterfaceAddress& address) {
            return of_family(address) && address.prefix != whole;
          });
      if (single)
        (gateway->v6 ? reading.site.network.on_link6 : reading.site.network.on_link4) = true;
      else
        reading.problems.add(item.error(
            fmt::format("the gateway {} is in none of the networks of the addresses", gateway->text),
            fmt::format("check it and the prefix lengths; beside addresses with /{} it may be "
                        "anywhere",
                        whole)));
    }
  }
}

void read_resolvers(Reading& reading, const Field& list, const std::vector<InterfaceAddress>& own) {
  std::set<std::string> seen;
  for (const Value& item : reading.items(list)) {
    const auto text = item.as_string(reading.problems);
    if (!text) continue;
    const auto address = reading.accept(parse_ip(*text), item);
    if (!address) continue;
    const bool itself = is_loopback(*address) || std::any_of(own.begin(), own.end(), [&](const auto& one) {
                          return one.ip.text == address->text;
                        });
    if (address->v6 && is_link_local(*address)) {
      reading.problems.add(
          item.error(fmt::format("the address {} has a meaning on one link only", address->text),
                     "name an address that can be routed"));
    } else if (itself) {
      reading.problems.add(
          item.error(fmt::format("the appliance's own resolver cannot forward to {}", address->text),
                     "leave 'nameservers' out to resolve from the root"));
    } else if (!seen.insert(address->text).second) {
      reading.problems.add(item.error(fmt::format("the address {} is listed twice", address->text)));
    } else {
      reading.site.network.nameservers.push_back(address->text);
    }
  }
}

bool is_pem(const std::string& text, std::string_view label) {
  const std::size_t begin = text.find("-----BEGIN ");
  if (begin == std::string::npos) return false;
  const std::size_t end = text.find("-----", begin + 11);
  return end != std::string::npos && std::string_view(text).substr(begin, end - begin).ends_with(label);
}

void read_certificate(Reading& reading, const Field& value) {
  const auto text = reading.named_file(value, Reading::FileKind::opaque);
  if (!text) return;
  reading.site.tls.certificate = reading.absolute(value.text());
  reading.site.tls.certificate_place = value.place();
  if (!is_pem(*text, "CERTIFICATE"))
    reading.problems.add(value.error(fmt::format("{} holds no PEM certificate", quote(value.text()))));
}

void read_private_key(Reading& reading, const Field& value) {
  const auto text = reading.named_file(value, Reading::FileKind::secret);
  if (!text) return;
  reading.site.tls.private_key = reading.absolute(value.text());
  reading.site.tls.private_key_place = value.place();
  if (!is_pem(*text, "PRIVATE KEY") && text->find("PRIVATE KEY-----") != std::string::npos) {
    // As `openssl ecparam -genkey` writes it: parameters first. Not all who read the file skip them.
    reading.problems.add(value.error(
        fmt::format("the private key in {} is not the first part of the file", quote(value.text())),
        fmt::format("`{}` writes the key alone",
                    shell_quote({"openssl", "pkey", "-in", std::string(value.text()), "-out", "NEW"}))));
  } else if (!is_pem(*text, "PRIVATE KEY")) {
    reading.problems.add(value.error(fmt::format("{} holds no PEM private key", quote(value.text()))));
  } else if (is_pem(*text, "ENCRYPTED PRIVATE KEY")) {
    reading.problems.add(value.error(fmt::format("the private key in {} is encrypted", quote(value.text())),
                                     "nobody can type its password when the server starts"));
  }
}

/// Which families `dhcp` asks for. False if it is none of its words.
bool read_dhcp(Reading& reading, const Field& value, Network& network) {
  const auto number = reading.choice(*value.key, value);
  if (!number) return false;
  const std::string_view word = value.key->choices[*number];
  network.dhcp4 = word == "true" || word == "ipv4";
  network.dhcp6 = word == "true" || word == "ipv6";
  return true;
}

/// Reports what is fixed of a family that is asked for: an address, or a gateway.
bool excludes_dhcp(Reading& reading, const Value& list) {
  const Network& network = reading.site.network;
  bool found = false;
  for (const Value& item : list.as_list(reading.problems)) {
    const bool v6 = item.text().find(':') != std::string_view::npos;
    if (!item.is_scalar() || !(v6 ? network.dhcp6 : network.dhcp4)) continue;
    found = true;
    reading.problems.add(
        item.error(fmt::format("'dhcp: {0}' asks for {1} addresses and gateway: {2} is one too many",
                               network.dhcp4 ? "ipv4" : "ipv6", v6 ? "IPv6" : "IPv4", item.text()),
                   "keep one of the two"));
  }
  return found;
}

/// How the appliance gets its addresses; returns those that are fixed.
std::vector<InterfaceAddress> read_interface(Reading& reading, const Value& value,
                                             const std::optional<Field>& dhcp,
                                             const std::optional<Field>& addresses,
                                             const std::optional<Field>& gateway) {
  Network& network = reading.site.network;
  if (dhcp ? !read_dhcp(reading, *dhcp, network) : false) return {};
  if (!dhcp) network.dhcp4 = network.dhcp6 = !addresses.has_value();
  if (network.dhcp4 && network.dhcp6) {
    for (const auto& fixed : {addresses, gateway}) {
      if (!fixed) continue;
      reading.problems.add(
          fixed->error("fixed addresses and gateways exclude 'dhcp'",
                       "keep one of the two, or write dhcp: ipv4 beside fixed IPv6 addresses"));
      return {};
    }
    return {};
  }
  if (network.dhcp4 || network.dhcp6) {
    if (!addresses && !gateway) return {};  // one family only
    if (!addresses) {
      reading.problems.add(gateway->error("a fixed gateway needs fixed 'addresses'",
                                          "write the address beside it, as addresses: [\"2001:db8::5/64\"]"));
      return {};
    }
    for (const auto& fixed : {addresses, gateway})
      if (fixed && excludes_dhcp(reading, *fixed)) return {};
  }
  if (!addresses) {
    reading.problems.add(value.error("without 'dhcp' the network needs 'addresses' and a 'gateway'",
                                     "write addresses: [192.0.2.5/24] and gateway: 192.0.2.1"));
    return {};
  }
  std::vector<InterfaceAddress> own = read_addresses(reading, *addresses, network.addresses, true);
  if (!gateway) {
    reading.problems.add(
        addresses->error("fixed addresses need a 'gateway'",
                         network.dhcp4 ? "write gateway: \"fe80::1\"" : "write gateway: 192.0.2.1"));
    return own;
  }
  read_gateways(reading, *gateway, own);
  // IPv6 may learn its router from advertisements; IPv4 has only what is written here.
  const bool v4 = std::any_of(own.begin(), own.end(), [](const auto& address) { return !address.ip.v6; });
  if (v4 && network.gateway6 && !network.gateway4)
    reading.problems.add(gateway->error("there is no gateway for IPv4, but an address of it",
                                        "write gateway: [192.0.2.1, \"fe80::1\"]"));
  return own;
}

}  // namespace

std::vector<InterfaceAddress> read_addresses(Reading& reading, const Field& list,
                                             std::vector<std::string>& texts, bool published) {
  std::vector<InterfaceAddress> addresses;
  std::set<std::string> seen;
  for (const Value& item : reading.items(list)) {
    const auto text = item.as_string(reading.problems);
    if (!text) continue;
    const auto address = reading.accept(parse_interface_address(*text), item);
    if (!address) continue;
    if (!seen.insert(address->ip.text).second) {
      reading.problems.add(item.error(fmt::format("the address {} is listed twice", address->ip.text)));
      continue;
    }
    if (published && is_private(address->ip))
      reading.warn(
          item,
          fmt::format("{} is a private address, and `mailstead dns` would publish it: no server outside "
                      "could reach it",
                      address->ip.text),
          "behind a router, publish the router's address instead");
    addresses.push_back(*address);
    texts.push_back(address->text());
  }
  return addresses;
}

void read_network(Reading& reading, const Field& value) {
  Network& network = reading.site.network;
  const std::string_view word = value.text();
  std::string example;
  if (word == "dhcp" || word == "true") example = "network: {dhcp: true}";
  if (word == "ipv4" || word == "ipv6") example = fmt::format("network: {{dhcp: {}}}", word);
  Section section(reading, *value.key, value, {}, std::move(example));
  const auto dhcp = section.take(key("network.dhcp"));
  const auto addresses = section.take(key("network.addresses"));
  const auto gateway = section.take(key("network.gateway"));
  const auto nameservers = section.take(key("network.nameservers"));
  const auto card = section.take(key("network.card"));
  const auto mtu = section.take(key("network.mtu"));
  const auto inner = section.get(key("network.private"));
  if (const auto zones = section.take(key("network.unsigned_zones"))) {
    for (const Value& item : reading.items(*zones)) {
      const auto text = item.as_string(reading.problems);
      const auto zone = text ? reading.accept(parse_zone(*text), item) : std::nullopt;
      if (zone) network.unsigned_zones.push_back(zone->ascii);
    }
  }
  section.finish();
  std::vector<InterfaceAddress> own = read_interface(reading, value, dhcp, addresses, gateway);
  if (card) network.card = read_card(reading, *card);
  if (mtu) network.mtu = read_mtu(reading, *mtu);
  if (inner.written) {
    const auto more = read_private(reading, inner, card, own);
    own.insert(own.end(), more.begin(), more.end());
  }
  if (nameservers) read_resolvers(reading, *nameservers, own);
}

void read_tls(Reading& reading, const Field& value) {
  Tls& tls = reading.site.tls;
  const bool is_plain = value.text() == "self-signed" || value.text() == "true";
  Section section(reading, *value.key, value, {}, is_plain ? "tls: {mode: self-signed}" : "");
  const auto mode = section.get(key("tls.mode"));
  const auto certificate = section.take(key("tls.certificate"));
  const auto private_key = section.take(key("tls.key"));
  section.finish();
  if (mode.text() == "acme") {
    reading.problems.add(
        mode.error("the mode 'acme' is not implemented yet", "use 'self-signed' or 'files'"));
    return;
  }
  const auto number = reading.choice(*mode.key, mode);
  if (!number) return;
  tls.mode = static_cast<TlsMode>(*number);
  if (tls.mode == TlsMode::files) {
    if (!certificate || !private_key) {
      reading.problems.add(mode.error("the mode 'files' needs 'certificate' and 'key'",
                                      "name the PEM files, as certificate: tls/fullchain.pem"));
    }
    if (certificate) read_certificate(reading, *certificate);
    if (private_key) read_private_key(reading, *private_key);
    return;
  }
  for (const auto& file : {certificate, private_key}) {
    if (file) reading.problems.add(file->error("files are for the mode 'files' only", "write mode: files"));
  }
}

void read_ssh(Reading& reading, const Field& value) {
  Ssh& ssh = reading.site.ssh;
  Section section(reading, *value.key, value);
  const auto enabled = section.get(key("ssh.enabled"));
  const auto keys = section.take(key("ssh.authorized_keys"));
  section.finish();
  ssh.enabled = enabled.as_bool(reading.problems).value_or(false);
  bool faulty = false;
  if (keys) {
    for (const Value& item : reading.items(*keys)) {
      const auto text = item.as_string(reading.problems);
      auto line = text ? reading.accept(parse_authorized_key(*text), item) : std::nullopt;
      if (line) {
        ssh.authorized_keys.push_back(*std::move(line));
      } else {
        faulty = true;
      }
    }
  }
  if (!enabled.written && keys && !ssh.authorized_keys.empty()) {
    reading.problems.add(keys->error("'authorized_keys' are given, but SSH is off: nobody can log in",
                                     "add enabled: true, or enabled: false if that is meant"));
  }
  if (ssh.enabled && ssh.authorized_keys.empty() && !faulty) {
    reading.problems.add(enabled.error("without 'authorized_keys' nobody can log in by SSH",
                                       "add a public key, or leave SSH off"));
  }
}

void read_updates(Reading& reading, const Field& value) {
  Section section(reading, *value.key, value);
  reading.site.updates.ssh = section.get(key("updates.ssh")).as_bool(reading.problems).value_or(false);
  section.finish();
}

void read_ports(Reading& reading, const Field& value) {
  Ports& ports = reading.site.ports;
  Section section(reading, *value.key, value);
  for (const Key* record : keys_in("ports"))
    for (const PortKey& port : kPortKeys)
      if (port.name == name_of(*record))
        ports.*port.field = section.get(*record).as_bool(reading.problems).value_or(false);
  section.finish();
}

}  // namespace mailstead::spec
