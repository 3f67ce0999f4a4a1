// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/zone.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "support/catch.hpp"
#include "support/program.hpp"

namespace fs = std::filesystem;
using namespace mailstead;
using test::output_of;

namespace {

/// Fixed keys, so that the golden files stay the same. They sign nothing anywhere.
constexpr const char* kEd25519 =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";  // RFC 8463 appendix A.2

struct Fixture {
  Fixture() : home(*TemporaryDirectory::create()) {
    site.folder = home.path();
    site.hostname = "mail.example.org";
    site.network.dhcp4 = site.network.dhcp6 = true;
    site.ports = {.submissions = true, .submission = true, .managesieve = false};
  }

  spec::DkimKey key(spec::DkimAlgorithm algorithm, const std::string& selector) const {
    const fs::path relative = "secrets/" + selector + ".pem";
    fs::create_directories((home.path() / relative).parent_path());
    const auto rsa = read_file(MAILSTEAD_SOURCE_DIR "/tests/golden/dns/rsa2048.pem");
    REQUIRE(rsa);
    const bool is_rsa = algorithm == spec::DkimAlgorithm::rsa2048;
    REQUIRE(write_file(home.path() / relative, is_rsa ? *rsa : kEd25519, 0600));
    return {selector, algorithm, relative};
  }

  spec::Domain& add_domain(const std::string& name) {
    spec::Domain domain;
    domain.name = domain.unicode = name;
    domain.dmarc_policy = spec::DmarcPolicy::quarantine;
    site.domains.push_back(domain);
    return site.domains.back();
  }

  /// Those of the overlay mail, whose conditions are keys of the spec's `ports`.
  std::vector<overlay::SiteService> services() const {
    const auto overlays = overlay::load_overlays(MAILSTEAD_SOURCE_DIR, {"mail"});
    REQUIRE(overlays);
    std::vector<overlay::SiteService> services;
    for (const overlay::Service& service : overlays->front().services) {
      bool offered = service.port.has_value();
      for (const spec::PortKey& key : spec::kPortKeys)
        if (service.when == std::string("ports.") + key.name) offered = site.ports.*key.field;
      services.push_back({service, offered});
    }
    return services;
  }

  std::vector<dns::Record> records() const {
    auto made = dns::zone_records(site, services());
    INFO((made ? "" : format_error(made.error())));
    REQUIRE(made);
    return *std::move(made);
  }

  TemporaryDirectory home;
  spec::Site site;
};

/// "example.org MX 10 mail.example.org." for each record.
std::vector<std::string> lines(const std::vector<dns::Record>& records, const std::string& types) {
  std::vector<std::string> found;
  for (const auto& record : records) {
    if ((" " + types + " ").find(" " + record.type + " ") == std::string::npos) continue;
    std::string text = record.value;
    for (const auto& part : record.texts) text += part;
    found.push_back(record.name + " " + record.type + " " + text);
  }
  return found;
}

bool has(const std::vector<dns::Record>& records, const std::string& line) {
  for (const auto& type : {"MX", "TXT", "A", "AAAA", "SRV", "PTR"})
    for (const auto& found : lines(records, type))
      if (found == line) return true;
  return false;
}

void compare_with_golden(const std::string& name, const std::string& text) {
  const fs::path path = fs::path(MAILSTEAD_SOURCE_DIR) / "tests/golden/dns" / name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) REQUIRE(write_file(path, text));
  const auto expected = read_file(path);
  REQUIRE(expected);
  CHECK(text == *expected);
}

Fixture full() {
  Fixture fixture;
  fixture.site.network.dhcp4 = fixture.site.network.dhcp6 = false;
  fixture.site.network.addresses = {"192.0.2.5/24", "2001:db8::5/64"};
  fixture.site.ports.managesieve = true;
  auto& first = fixture.add_domain("example.org");
  first.dkim = {fixture.key(spec::DkimAlgorithm::rsa2048, "s2026-rsa2048"),
                fixture.key(spec::DkimAlgorithm::ed25519, "s2026-ed25519")};
  first.dmarc_reports = spec::Address{"reports", "example.org"};
  auto& second = fixture.add_domain("xn--mnchen-3ya.example");
  second.dmarc_policy = spec::DmarcPolicy::reject;
  second.dmarc_reports = spec::Address{"dmarc!a,b", "reports.example.net"};
  return fixture;
}

Fixture placeholders() {
  Fixture fixture;
  fixture.site.ports.submission = false;
  fixture.add_domain("example.org").dmarc_policy = spec::DmarcPolicy::none;
  return fixture;
}

}  // namespace

TEST_CASE("the records of a site are as reviewed") {
  SECTION("static addresses, keys, reports") {
    const auto records = full().records();
    compare_with_golden("full.zone", dns::to_master_file(records));
    compare_with_golden("full.json", dns::to_json(records));
  }
  SECTION("addresses by DHCP are placeholders") {
    const auto records = placeholders().records();
    compare_with_golden("dhcp.zone", dns::to_master_file(records));
    compare_with_golden("dhcp.json", dns::to_json(records));
  }
}

TEST_CASE(
    "a family that is asked for has a placeholder, one that is fixed its records, and one that is not there "
    "none") {
  const auto types = [](const Fixture& fixture) {
    std::string said;
    for (const dns::Record& record : fixture.records())
      if (record.name == fixture.site.hostname && (record.type == "A" || record.type == "AAAA"))
        said += record.type + (record.value.empty() ? " ? " : " " + record.value + " ");
    return said;
  };
  Fixture fixture;
  fixture.add_domain("example.org");
  fixture.site.network.dhcp6 = false;
  CHECK(types(fixture) == "A ? ");
  fixture.site.network.addresses = {"2001:db8::5/64"};
  CHECK(types(fixture) == "A ? AAAA 2001:db8::5 ");
  fixture.site.network.private_network.emplace().addresses = {"198.18.0.5/24"};
  CHECK(types(fixture) == "A ? AAAA 2001:db8::5 ");
  fixture.site.network.dhcp4 = false;
  CHECK(types(fixture) == "AAAA 2001:db8::5 ");
  // Nothing that the world could use: both are for a person to fill in.
  fixture.site.network.addresses = {"fe80::5/64"};
  CHECK(types(fixture) == "A ? AAAA ? ");
}

TEST_CASE("another reader finds the same records in the master file") {
  // ldns-read-zone prints what it has parsed in its own form; dnspython joins the strings of a TXT record.
  for (const auto& fixture : {full(), placeholders()}) {
    const auto records = fixture.records();
    const fs::path file = fixture.home.path() / "zone";
    REQUIRE(write_file(file, ". 3600 IN SOA a. b. 1 2 3 4 5\n" + dns::to_master_file(records)));
    output_of({"ldns-read-zone", file});
    static constexpr const char* kScript = R"(
import sys, dns.zone
zone = dns.zone.from_file(sys.argv[1], origin='.', relativize=False, check_origin=False)
for name, ttl, data in zone.iterate_rdatas():
    kind = data.rdtype.name
    text = b''.join(data.strings).decode() if kind == 'TXT' else data.to_text()
    if kind != 'SOA': print(name.to_text(omit_final_dot=True), kind, text)
)";
    std::string read = output_of({"/usr/bin/python3", "-c", kScript, file});
    std::size_t published = 0;
    for (const auto& line : lines(records, "MX TXT A AAAA SRV")) {
      const bool placeholder = line.ends_with("A ");
      INFO(line);
      CHECK((read.find(line + "\n") != std::string::npos) == !placeholder);
      published += placeholder ? 0 : 1;
    }
    CHECK(static_cast<std::size_t>(std::count(read.begin(), read.end(), '\n')) == published);
  }
}

TEST_CASE("JSON has every record with its fields") {
  const auto records = full().records();
  const auto json = nlohmann::json::parse(dns::to_json(records));
  REQUIRE(json["records"].size() == records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    CHECK(json["records"][i]["name"] == records[i].name);
    CHECK(json["records"][i]["type"] == records[i].type);
    CHECK(json["records"][i]["ttl"] == 3600);
    CHECK(json["records"][i]["value"] == records[i].value);
    CHECK(json["records"][i]["texts"] == records[i].texts);
    CHECK(json["records"][i]["note"] == records[i].note);
  }
}

TEST_CASE("long texts are split at 255 octets") {
  for (const auto& record : full().records())
    for (std::size_t i = 0; i < record.texts.size(); ++i)
      CHECK(record.texts[i].size() == (i + 1 < record.texts.size() ? 255 : record.texts[i].size()));
  for (const auto& record : full().records())
    if (record.name == "s2026-rsa2048._domainkey.example.org") CHECK(record.texts.size() == 2);
}

TEST_CASE("order does not depend on the order of the spec") {
  auto fixture = full();
  const auto text = dns::to_master_file(fixture.records());
  std::reverse(fixture.site.domains.begin(), fixture.site.domains.end());
  std::reverse(fixture.site.network.addresses.begin(), fixture.site.network.addresses.end());
  CHECK(dns::to_master_file(fixture.records()) == text);
}

TEST_CASE("reverse names and what is not an address of the internet") {
  auto fixture = placeholders();
  SECTION("each address has its PTR record") {
    fixture.site.network.addresses = {"203.0.113.77/32", "2001:db8:1:2::abcd/64"};
    const auto records = fixture.records();
    CHECK(lines(records, "PTR") ==
          std::vector<std::string>{
              "77.113.0.203.in-addr.arpa PTR mail.example.org.",
              "d.c.b.a.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR "
              "mail.example.org."});
  }
  SECTION("private addresses are published with a warning") {
    fixture.site.network.dhcp4 = fixture.site.network.dhcp6 = false;
    for (const char* address :
         {"10.0.0.5/8", "172.31.0.1/16", "192.168.1.2/24", "100.64.0.1/10", "fd00::1/64"}) {
      fixture.site.network.addresses = {address};
      for (const auto& record : fixture.records())
        if (record.type == "A" || record.type == "AAAA")
          CHECK(record.note.starts_with("this address is not reachable from the internet"));
      CHECK(lines(fixture.records(), "A AAAA").size() == 1);
    }
  }
  SECTION("link-local and loopback addresses are not published") {
    fixture.site.network.addresses = {"fe80::1/64", "169.254.1.1/16", "127.0.0.1/8", "::1/128"};
    CHECK(lines(fixture.records(), "A AAAA") ==
          std::vector<std::string>{"mail.example.org A ", "mail.example.org AAAA "});
    CHECK(lines(fixture.records(), "PTR").empty());
  }
}

TEST_CASE("exactly one SPF record a name") {
  auto fixture = placeholders();
  SECTION("a host name that is no mail domain") {
    const auto records = fixture.records();
    CHECK(has(records, "mail.example.org TXT v=spf1 a -all"));
    CHECK(has(records, "example.org TXT v=spf1 mx -all"));
  }
  SECTION("a host name that is one") {
    fixture.site.hostname = "example.org";
  }
  std::map<std::string, int> spf;
  for (const auto& record : fixture.records())
    if (!record.texts.empty() && record.texts[0].starts_with("v=spf1")) ++spf[record.name];
  CHECK(spf.size() == (fixture.site.hostname == "example.org" ? 1 : 2));
  for (const auto& [name, count] : spf) CHECK(count == 1);
}

TEST_CASE("reports to another organisation are authorised, to one's own they need not be") {
  auto fixture = placeholders();
  auto& reports = fixture.site.domains[0].dmarc_reports;
  const std::string permission = "example.org._report._dmarc.example.net TXT v=DMARC1";
  reports = spec::Address{"rua", "example.net"};
  CHECK(has(fixture.records(), permission));
  CHECK(has(fixture.records(), "_dmarc.example.org TXT v=DMARC1; p=none; rua=mailto:rua@example.net"));
  for (const char* own : {"example.org", "mail.example.org", "org"}) {
    reports = spec::Address{"rua", own};
    for (const auto& line : lines(fixture.records(), "TXT")) CHECK(line.find("_report") == std::string::npos);
  }
  reports = spec::Address{"rua", "notexample.org"};  // ends alike, but is no subdomain
  CHECK(has(fixture.records(), "example.org._report._dmarc.notexample.org TXT v=DMARC1"));
}

TEST_CASE("names that DNS cannot hold and keys that are missing are errors") {
  auto fixture = placeholders();
  auto& domain = fixture.site.domains[0];
  SECTION("long label") {
    domain.dkim = {fixture.key(spec::DkimAlgorithm::ed25519, std::string(64, 's'))};
    const auto made = dns::zone_records(fixture.site, fixture.services());
    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::usage);
    CHECK(made.error().message.find("has a label of more than 63 octets") != std::string::npos);
  }
  SECTION("long name") {
    std::string name = "org";
    while (name.size() < 240) name = "abcdefghi." + name;
    domain.name = name;
    const auto made = dns::zone_records(fixture.site, fixture.services());
    REQUIRE_FALSE(made);
    CHECK(made.error().message.find("has more than 253 octets") != std::string::npos);
  }
  SECTION("missing key") {
    domain.dkim = {{"s1", spec::DkimAlgorithm::ed25519, "secrets/s1.pem"}};
    const auto made = dns::zone_records(fixture.site, fixture.services());
    REQUIRE_FALSE(made);
    CHECK(made.error().message == "cannot read the key " + (fixture.home.path() / "secrets/s1.pem").string() +
                                      ": No such file or directory");
  }
}

TEST_CASE("a master file cannot be broken by what is in a text or a note") {
  dns::Record record;
  record.name = "example.org";
  record.type = "TXT";
  record.texts = {"quote \" backslash \\ semicolon ; \x01\xff", ""};
  record.note = "first line\nevil.example.org. 3600 IN A 192.0.2.66";
  CHECK(dns::to_master_file({record}) ==
        "; === example.org ===\n; Publish in the zone that holds example.org.\n"
        "; first line evil.example.org. 3600 IN A 192.0.2.66\n"
        "example.org. 3600 IN TXT \"quote \\\" backslash \\\\ semicolon ; \\001\\255\" \"\"\n");
}
