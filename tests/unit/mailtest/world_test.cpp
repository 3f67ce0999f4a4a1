// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/world.hpp"

#include "mailtest/disk.hpp"
#include "mailtest/journal.hpp"
#include "mailtest/root_servers.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;

TEST_CASE("a world file lists records and peers") {
  const auto plan = parse_world(
      "# the outside\n"
      "site mail.example.org\n"
      "dns elsewhere.example MX 10 mx.elsewhere.example\n"
      "dns elsewhere.example TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n"
      "peer smtp 198.51.100.25 25 mx.elsewhere.example tls\n"
      "peer smtp 198.51.100.26 25 mx.old.example 7bit\n",
      "world");
  REQUIRE(plan.has_value());
  CHECK(plan->records.at(1).value == "v=spf1 ip4:198.51.100.0/24 -all");
  CHECK(plan->peers.at(0).tls);
  CHECK_FALSE(plan->peers.at(0).seven_bit);
  CHECK_FALSE(plan->peers.at(1).tls);
  CHECK(plan->peers.at(1).seven_bit);
  CHECK(plan->site == "mail.example.org");
  CHECK(plan->names == NameService::gateway);
  CHECK(plan->network.v4->addressing == Addressing::dhcp);
  const auto wrong = parse_world(
      "site m\ndns x BOGUS y\npeer smtp nowhere 25 x\ndns x A 300.1.1.1\n"
      "peer smtp 198.51.100.25 25 x tsl\n",
      "world");
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().others.size() + 1 == 4);
}

TEST_CASE("a world says for which appliance it is, and who gives names and addresses") {
  const auto plan = parse_world("site m.example\nnames root\naddressing silent\n", "world");
  REQUIRE(plan.has_value());
  CHECK(plan->names == NameService::root);
  CHECK(plan->network.v4->addressing == Addressing::silent);
  CHECK(plan->network.v6->addressing == Addressing::silent);
  const auto nobody = parse_world("names root\n", "world");
  REQUIRE_FALSE(nobody.has_value());
  CHECK(nobody.error().message == "the world does not say for which appliance it is");
  CHECK_FALSE(parse_world("site a\nsite b\n", "world").has_value());
  CHECK_FALSE(parse_world("site a\nnames elsewhere\n", "world").has_value());
  CHECK_FALSE(parse_world("site a\naddressing\n", "world").has_value());
  CHECK_FALSE(parse_world("site a\nfirmware openfirmware\n", "world").has_value());
  CHECK(parse_world("site a\nfirmware uefi\n", "world")->hardware.firmware == mailstead::vm::Firmware::uefi);
}

TEST_CASE("a world has a second card, and an MTU that its gateway tells") {
  const auto plan = parse_world("site m.example\nmtu 1450\nprivate dhcp first\n", "world");
  REQUIRE(plan.has_value());
  CHECK(plan->mtu == 1450);
  REQUIRE(plan->private_network.has_value());
  CHECK(plan->private_network->first);
  CHECK(plan->private_network->addressing == Addressing::dhcp);
  for (const char* line :
       {"mtu\n", "mtu 1279\n", "mtu 9001\n", "mtu 1450x\n", "private\n", "private dhcp last\n"})
    CHECK_FALSE(parse_world(std::string("site a\n") + line, "world").has_value());
  const auto text = dnsmasq_configuration(*plan, {}, "/logs/leases");
  REQUIRE(text.has_value());
  for (const char* line :
       {"\ndhcp-host=52:54:00:6d:73:01,203.0.113.10\n", "\ndhcp-option=tag:tap0,option:mtu,1450\n",
        "\nra-param=tap0,mtu:1450,10,1800\n", "\ninterface=tap1\n",
        "\ndhcp-host=52:54:00:6d:73:02,10.113.0.10\n", "\nra-param=tap1,10,1800\n"})
    CHECK(text->find(line) != std::string::npos);
  // Only the private network gives addresses.
  const auto inner = parse_world("site m.example\naddressing silent\nprivate dhcp\n", "world");
  REQUIRE(inner.has_value());
  const auto fixed = dnsmasq_configuration(*inner, {}, "/logs/leases");
  REQUIRE(fixed.has_value());
  CHECK(fixed->find("203.0.113.10") == std::string::npos);
  CHECK(fixed->find("10.113.0.10") != std::string::npos);
  // None does.
  const auto silent = parse_world("site m.example\naddressing silent\nprivate silent\n", "world");
  REQUIRE(silent.has_value());
  CHECK(dnsmasq_configuration(*silent, {}, "/logs/leases")->find("dhcp") == std::string::npos);
}

TEST_CASE("the root zone holds every kind of record, and none that would break out of its line") {
  const auto zone = root_zone({{"example.org", "MX", "10 mail.example.org"},
                               {"k.example.org", "TXT", "v=DKIM1; p=a\"b\\c\n" + std::string(250, 'x')},
                               {"example.org", "CAA", "0 issue \"ca.example\""}});
  REQUIRE(zone.has_value());
  INFO(*zone);
  for (const char* line :
       {"$ORIGIN .\n", "\n. IN SOA ", "\n. IN NS m.root-servers.net.\n",
        "\nm.root-servers.net. IN AAAA 2001:dc3::35\n", "\nexample.org IN MX 10 mail.example.org\n",
        "\nk.example.org IN TXT \"v=DKIM1; p=a\\\"b\\\\c\\010xx",
        "\nexample.org IN CAA 0 issue \"ca.example\"\n"})
    CHECK(zone->find(line) != std::string::npos);
  // 17 octets before the x's: the first string takes 250 in all, the rest is a second one.
  CHECK(zone->find("x\" \"" + std::string(17, 'x') + "\"\n") != std::string::npos);
  CHECK_FALSE(root_zone({{"x\n. IN NS evil", "A", "1.2.3.4"}}).has_value());
  CHECK_FALSE(root_zone({{"x", "MX", "10 a\n$INCLUDE /etc/passwd"}}).has_value());
  CHECK_FALSE(root_zone({{"x", "MX", "10 a ( b"}}).has_value());
  CHECK_FALSE(root_zone({{"", "A", "1.2.3.4"}}).has_value());
}

TEST_CASE("the gateway leaves out what the world does not want of it") {
  WorldPlan plan;
  plan.names = NameService::root;
  const auto addresses = dnsmasq_configuration(plan, {{"x.example", "A", "192.0.2.1"}}, "/logs/leases");
  REQUIRE(addresses.has_value());
  CHECK(addresses->find("\nport=0\n") != std::string::npos);
  CHECK(addresses->find("x.example") == std::string::npos);
  CHECK(addresses->find("dhcp-range=") != std::string::npos);
  CHECK(addresses->find("dhcp-leasefile=/logs/leases\n") != std::string::npos);
  // A machine that boots slowly must not wait for an advertisement for minutes.
  CHECK(addresses->find("ra-param=tap0,10,") != std::string::npos);
  plan.names = NameService::gateway;
  plan.network.v4->addressing = plan.network.v6->addressing = Addressing::silent;
  const auto names = dnsmasq_configuration(plan, {{"x.example", "A", "192.0.2.1"}}, "/logs/leases");
  REQUIRE(names.has_value());
  CHECK(names->find("dhcp") == std::string::npos);
  CHECK(names->find("enable-ra") == std::string::npos);
  CHECK(names->find("host-record=x.example,192.0.2.1\n") != std::string::npos);
}

TEST_CASE("the name server's configuration holds every kind of record") {
  const auto records = records_from_json(R"({"records": [
    {"name": "example.org", "type": "MX", "value": "10 mail.example.org."},
    {"name": "mail.example.org", "type": "A", "value": "203.0.113.10"},
    {"name": "other.example.org", "type": "A", "value": "<your address>"},
    {"name": "k._domainkey.example.org", "type": "TXT", "value": "", "texts": ["v=DKIM1; p=a\"b", "c"]},
    {"name": "_imaps._tcp.example.org", "type": "SRV", "value": "0 1 993 mail.example.org."},
    {"name": "_25._tcp.mail.example.org", "type": "TLSA", "value": "3 1 1 abcd"},
    {"name": "example.org", "type": "CAA", "value": "0 issue \"ca.example\""}]})");
  REQUIRE(records.has_value());
  const auto text = dnsmasq_configuration({}, *records, "/logs/leases");
  REQUIRE(text.has_value());
  for (const char* line :
       {"mx-host=example.org,mail.example.org,10\n", "host-record=mail.example.org,203.0.113.10\n",
        "txt-record=k._domainkey.example.org,\"v=DKIM1; p=a\\\"bc\"\n",
        "srv-host=_imaps._tcp.example.org,mail.example.org,993,0,1\n",
        "dns-rr=_25._tcp.mail.example.org,52,030101abcd\n", "caa-record=example.org,0,issue,ca.example\n"}) {
    INFO(*text);
    CHECK(text->find(line) != std::string::npos);
  }
  CHECK(text->find("your address") == std::string::npos);
  CHECK_FALSE(records_from_json("[]").has_value());
  CHECK_FALSE(dnsmasq_configuration({}, {{"x\nserver=1.2.3.4", "A", "1.2.3.4"}}, "l").has_value());
}

TEST_CASE("a partition table is read, and broken ones are refused") {
  std::string disk(34 * 512, '\0');
  CHECK_FALSE(parse_gpt(disk).has_value());
  const auto put = [&disk](std::size_t at, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
      disk[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i));
  };
  disk.replace(512, 8, "EFI PART");
  put(512 + 72, 2, 8);
  put(512 + 80, 128, 4);
  put(512 + 84, 128, 4);
  put(1024, 0x1234, 8);
  put(1024 + 32, 2048, 8);
  put(1024 + 40, 4095, 8);
  disk[1024 + 56] = 'd';
  disk[1024 + 58] = 'a';
  const auto partitions = parse_gpt(disk);
  REQUIRE(partitions.has_value());
  REQUIRE(partitions->size() == 1);
  CHECK(partitions->at(0).name == "da");
  CHECK(partitions->at(0).first_byte == 2048 * 512);
  CHECK(partitions->at(0).bytes == 1 << 20);
  put(1024 + 40, 5, 8);
  CHECK_FALSE(parse_gpt(disk).has_value());
  put(512 + 80, 0xffffffff, 4);
  CHECK_FALSE(parse_gpt(disk).has_value());
}

TEST_CASE("entries of the journal") {
  const auto entries = parse_journal_json(
      R"({"PRIORITY":"3","SYSLOG_IDENTIFIER":"postfix","MESSAGE":"fatal: x"})"
      "\n"
      R"({"MESSAGE":[104,105],"_COMM":"sh","MESSAGE_ID":"d9b373ed55a64feb8242e02dbe79a49c"})"
      "\n");
  REQUIRE(entries.has_value());
  CHECK(entries->at(0).text() == "postfix: fatal: x");
  CHECK(entries->at(0).priority == 3);
  CHECK_FALSE(tells_of_failed_unit(entries->at(0)));
  CHECK(entries->at(1).text() == "sh: hi");
  CHECK(tells_of_failed_unit(entries->at(1)));
  CHECK_FALSE(parse_journal_json("oops\n").has_value());
}
