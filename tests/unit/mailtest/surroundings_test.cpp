// SPDX-License-Identifier: GPL-3.0-or-later
// What the world around a site takes from its spec.
#include "mailtest/surroundings.hpp"

#include <fmt/format.h>

#include "mailtest/world.hpp"
#include "spec/load.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;

namespace {

/// A spec with these lines, and four accounts.
spec::Site site_with(const std::string& lines) {
  constexpr const char* kHash =
      "$6$saltsalt$8iYtNHxjWRl.NF6oNZ5tF.iKFlQREaXBLlSmZKP6dy9l5z3vsooWNW0/GZ6Nej73/TFug6pIPSqbJoCT6dfnj.";
  const auto site = spec::parse_site(
      fmt::format("mailstead: 1\nhostname: mail.mine.example\n{1}domains:\n  mine.example: {{}}\n"
                  "accounts:\n"
                  "  ann@mine.example: {{password_hash: \"{0}\", aliases: [postmaster@mine.example]}}\n"
                  "  ben@mine.example: {{password_hash: \"{0}\"}}\n"
                  "  robot@mine.example: {{password_hash: \"{0}\", send_only: true}}\n"
                  "  sue@mine.example: {{password_hash: \"{0}\", sieve: \"keep;\"}}\n",
                  kHash, lines),
      "mail.yaml");
  if (!site) FAIL(format_error(site.error()));
  return *site;
}

Surroundings around(const std::string& lines, const Variables& given = {}) {
  auto made = surroundings_of(site_with(lines), given);
  if (!made) FAIL(format_error(made.error()));
  return *std::move(made);
}

using Rows = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("a site that asks for its addresses gets those of the world") {
  const Surroundings made = around("");
  CHECK(made.network.mac == kApplianceMac);
  CHECK(made.network.v4->address == kAppliance);
  CHECK(made.network.v6->addressing == Addressing::dhcp);
  CHECK(made.names == NameService::root);
  CHECK(made.variables.at("machine") == kAppliance);
  CHECK(made.tables.at("domains") == Rows{{"mine.example", "no"}});
  CHECK(made.tables.at("addresses") == Rows{{kAppliance, kStranger}, {kAppliance6, kStranger6}});
  CHECK_FALSE(made.tables.contains("logins"));
}

TEST_CASE("a site keeps its own addresses, gateways, name servers and cards") {
  const Surroundings made = around(
      "network:\n  card: 52:54:00:aa:bb:cc\n  addresses: [192.0.2.7/32, \"2001:db8:7::1/64\"]\n"
      "  gateway: [172.31.1.1, \"fe80::1\"]\n  nameservers: [172.31.1.1, 192.0.2.53]\n");
  CHECK(made.network.mac == "52:54:00:aa:bb:cc");
  CHECK(made.network.address() == "192.0.2.7");
  CHECK(made.network.v4->gateway == "172.31.1.1");
  CHECK(made.network.v4->prefix == 32);
  CHECK(made.network.v6->address == "2001:db8:7::1");
  CHECK(made.network.v6->addressing == Addressing::silent);
  CHECK(made.network.name_servers == std::vector<std::string>{"192.0.2.53"});
  CHECK(made.names == NameService::gateway);
  CHECK(made.variables.at("outside") == kStranger);

  WorldPlan plan;
  surround(plan, made, "mail.mine.example");
  const auto configuration = dnsmasq_configuration(plan, plan.records, "/logs/leases");
  REQUIRE(configuration.has_value());
  CHECK(configuration->find("dhcp") == std::string::npos);
  for (const char* line :
       {"host-record=mail.mine.example,192.0.2.7\n", "host-record=mail.mine.example,2001:db8:7::1\n",
        "ptr-record=7.2.0.192.in-addr.arpa,mail.mine.example\n"})
    CHECK(configuration->find(line) != std::string::npos);
}

TEST_CASE("a site with one family has no other") {
  const Surroundings made = around(
      "network:\n  addresses: [\"2001:db8:7::1/64\"]\n  gateway: [\"fe80::1\"]\n"
      "  nameservers: [\"2001:db8:53::53\"]\n");
  CHECK_FALSE(made.network.v4.has_value());
  CHECK(made.network.address() == "2001:db8:7::1");
  CHECK(made.tables.at("addresses") == Rows{{"2001:db8:7::1", kStranger6}});
  CHECK(made.variables.at("outside") == kStranger6);
}

TEST_CASE("a network without IPv4 has a name server all the same") {
  PublicNetwork network;
  CHECK(network.gateway4() == kGateway);
  network.v4.reset();
  CHECK(network.gateway4() == kGateway);
}

TEST_CASE("IPv4 by DHCP and a fixed IPv6 address are what the gateway gives and what it does not") {
  WorldPlan plan;
  surround(plan,
           around("network:\n  dhcp: ipv4\n  addresses: [\"2001:db8:7::1/64\"]\n  gateway: [\"fe80::1\"]\n"),
           "mail.mine.example");
  const auto configuration = dnsmasq_configuration(plan, {}, "/logs/leases");
  REQUIRE(configuration.has_value());
  CHECK(configuration->find("dhcp-range=203.0.113.10,") != std::string::npos);
  CHECK(configuration->find("64,1h") == std::string::npos);
  CHECK(configuration->find("ra-param") == std::string::npos);
}

TEST_CASE("accounts are tried as far as their passwords are given") {
  const Surroundings made = around("", {{"password:ann@mine.example", "x"},
                                        {"password:robot@mine.example", "x"},
                                        {"password:sue@mine.example", "x"}});
  CHECK(made.tables.at("logins") == Rows{{"ann@mine.example"}, {"robot@mine.example"}, {"sue@mine.example"}});
  CHECK(made.tables.at("mailboxes") == Rows{{"ann@mine.example"}});
  CHECK(made.tables.at("submission").front() ==
        std::vector<std::string>{"ann@mine.example", "465", "tls", "1"});
}

TEST_CASE("an address that the world has given to strangers cannot be the machine's") {
  const auto made = surroundings_of(
      site_with(
          "network: {addresses: [198.51.100.9/24], gateway: 198.51.100.1, nameservers: [192.0.2.53]}\n"),
      {});
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().message.find("198.51.100.9") != std::string::npos);
}

TEST_CASE("a card that is called by its name cannot be had") {
  const auto made = surroundings_of(site_with("network: {card: enp1s0}\n"), {});
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().kind == ErrorKind::usage);
  CHECK(made.error().message.find("'enp1s0'") != std::string::npos);
  CHECK(made.error().hint.find("Ethernet address") != std::string::npos);
}
