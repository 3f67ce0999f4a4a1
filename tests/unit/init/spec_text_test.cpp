// SPDX-License-Identifier: GPL-3.0-or-later
// The first spec as text: it says what was answered, whatever the answers hold, and its lines that are off
// are true, too.
#include <cstdlib>
#include <filesystem>
#include <regex>

#include "base/files.hpp"
#include "init/answers.hpp"
#include "spec/load.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using namespace mailstead;

namespace {

const std::string kHash = "$y$j9T$abcdefghijklmnopqrstu.$b3VbA.N.4zA4K0aenb4UAwy.Jg9xh1ecEIkjR/EbnUD";
const std::string kKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKr0C1TCRvDB8J0pqG1GpJAZKt7w4sQbU6t3XmZ3vQ2H admin@example.net";

init::Answers smallest() {
  return {{"example.org"}, "mail.example.org", {{"alice@example.org", kHash}}, {}, {}, {}, ""};
}

init::Answers everything() {
  return {
      {"example.net", "bücher.example", "xn.example"},
      "mx.example.net",
      {{"admin@example.net", kHash}, {"postmaster@bücher.example", kHash}, {"_carol-b.c@xn.example", kHash}},
      {"192.0.2.5/24", "2001:db8::5/64"},
      {"192.0.2.1", "fe80::1"},
      {kKey,
       R"(restrict,command="say \"no\" # not: yes" )" + kKey + "\twith: odd #words \\ 'and' \"quotes\" é"},
      "America/Argentina/Buenos_Aires"};
}

spec::Site parsed(const std::string& text) {
  const auto site = spec::parse_site(text, "/nowhere/mail.yaml");
  INFO(text << (site ? "" : format_error(site.error())));
  REQUIRE(site);
  return *site;
}

void compare_with_golden(const std::string& name, const std::string& text) {
  const fs::path path = fs::path(MAILSTEAD_SOURCE_DIR) / "tests/golden/init" / name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) REQUIRE(write_file(path, text));
  const auto expected = read_file(path);
  REQUIRE(expected);
  CHECK(text == *expected);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// The key of a line that is off, as "quota" of "    #quota: 5G"; empty for all other lines. What only
/// explains has a space behind the '#'.
std::string key_that_is_off(const std::string& line) {
  static const std::regex off(R"( *#([a-z_]+):.*)");
  std::smatch match;
  return std::regex_match(line, match, off) ? match.str(1) : "";
}

/// The text with its line `number` switched on, in the place of the block at the top level that it replaces.
std::string switched_on(const std::vector<std::string>& lines, std::size_t number) {
  const std::string key = key_that_is_off(lines[number]);
  std::string text;
  bool replaced = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string line = lines[i];
    if (i == number) line.erase(line.find('#'), 1);
    replaced = (replaced && line.starts_with(' ')) ||
               (i != number && lines[number].starts_with('#') && line.starts_with(key + ":"));
    if (!replaced) text += line + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("The smallest first spec means what was answered") {
  const std::string text = init::spec_text(smallest());
  compare_with_golden("smallest.yaml", text);
  const spec::Site site = parsed(text);
  CHECK(site.hostname == "mail.example.org");
  CHECK((site.network.dhcp4 && site.network.dhcp6));
  CHECK_FALSE(site.ssh.enabled);
  REQUIRE(site.accounts.size() == 1);
  CHECK(site.accounts[0].password_hash == kHash);
  REQUIRE(site.accounts[0].aliases.size() == 1);
  CHECK(site.accounts[0].aliases[0].text() == "postmaster@example.org");
}

TEST_CASE("The largest first spec means what was answered, odd characters included") {
  const init::Answers answers = everything();
  const std::string text = init::spec_text(answers);
  compare_with_golden("everything.yaml", text);
  const spec::Site site = parsed(text);
  CHECK(site.hostname == "mx.example.net");
  CHECK(site.network.addresses == answers.addresses);
  CHECK(site.network.gateway4 == "192.0.2.1");
  CHECK(site.network.gateway6 == "fe80::1");
  CHECK(site.ssh.enabled);
  CHECK(site.ssh.authorized_keys == answers.ssh_keys);
  CHECK(site.time_zone == answers.time_zone);
  CHECK(site.domains.size() == 3);
  REQUIRE(site.accounts.size() == 3);
  CHECK(site.accounts[0].address.text() == "_carol-b.c@xn.example");
  // The first person is postmaster where nobody else is.
  CHECK(site.accounts[1].aliases ==
        std::vector<spec::Address>{{"postmaster", "example.net"}, {"postmaster", "xn.example"}});
  CHECK(site.accounts[2].address.text() == "postmaster@xn--bcher-kva.example");
}

TEST_CASE("Each line that is off can be switched on") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  REQUIRE(make_directories(folder.path() / "tls"));
  REQUIRE(write_file(folder.path() / "tls/fullchain.pem", "-----BEGIN CERTIFICATE-----\n"));
  REQUIRE(write_file(folder.path() / "tls/privkey.pem", "-----BEGIN PRIVATE KEY-----\n", 0600));
  for (const init::Answers& answers : {smallest(), everything()}) {
    const std::vector<std::string> lines = lines_of(init::spec_text(answers));
    std::size_t count = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (key_that_is_off(lines[i]).empty()) continue;
      ++count;
      const std::string text = switched_on(lines, i);
      const auto site = spec::parse_site(text, folder.path() / "mail.yaml");
      INFO(text << (site ? "" : format_error(site.error())));
      // Which key it is to be, nobody but the reader knows.
      const bool lacks_key = key_that_is_off(lines[i]) == "ssh";
      CHECK(site.has_value() != lacks_key);
      if (!site) CHECK(site.error().message == "this public key of the type ssh-ed25519 is not complete");
    }
    CHECK(count >= 10);
  }
}

TEST_CASE("Lines that are off are recognized and switched on") {
  CHECK(key_that_is_off("    #quota: 5G") == "quota");
  CHECK(key_that_is_off("# The key: a sentence").empty());
  CHECK(switched_on({"tls: {a: b}", "#tls: {c: d}", "x: y"}, 1) == "tls: {c: d}\nx: y\n");
  CHECK(switched_on({"net:", "  a: b", "  #c: d", "#net: {e: f}"}, 2) ==
        "net:\n  a: b\n  c: d\n#net: {e: f}\n");
  CHECK(switched_on({"net:", "  a: b", "  #c: d", "#net: {e: f}"}, 3) == "net: {e: f}\n");
}
