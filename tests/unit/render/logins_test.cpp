// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/logins.hpp"

#include "support/catch.hpp"

using namespace mailstead;

namespace {

std::string logins_of(const spec::Site& site) {
  std::string text;
  for (const render::Login& login : render::other_logins(site))
    text += login.name + " " + login.account->address.text() + "\n";
  return text;
}

spec::Site site_of(const std::string& name, const std::string& unicode) {
  spec::Site site;
  site.domains.resize(1);
  site.domains[0].name = name;
  site.domains[0].unicode = unicode;
  site.accounts.resize(1);
  site.accounts[0].address = {"lena", name};
  return site;
}

}  // namespace

TEST_CASE("an account's aliases are names to log in by, a shared address is not") {
  spec::Site site = site_of("example.org", "example.org");
  site.accounts[0].aliases = {{"o'brien", "example.org"}, {"sales", "example.org"}};
  site.aliases[{"team", "example.org"}] = {{"lena", "example.org"}};
  CHECK(logins_of(site) == "o'brien@example.org lena@example.org\nsales@example.org lena@example.org\n");
}

TEST_CASE("a domain is known as people write it, in the cases that they use") {
  spec::Site site = site_of("xn--bcher-kva.example", "bücher.example");
  CHECK(logins_of(site) ==
        "lena@bÜcher.example lena@xn--bcher-kva.example\nlena@bücher.example lena@xn--bcher-kva.example\n");
  site.accounts[0].aliases = {{"sales", "xn--bcher-kva.example"}};
  CHECK(logins_of(site).find("sales@bücher.example lena@") != std::string::npos);
  const std::pair<const char*, const char*> capitals[] = {
      {"öäü.example", "ÖÄÜ.example"},
      {"ñandú.example", "ÑandÚ.example"},
      {"žluťoučký.example", "ŽluŤouČkÝ.example"},
      {"größe.example", "grÖße.example"},
      {"ελλάς.example", "ΕΛΛΆς.example"},
      {"почта.example", "ПОЧТА.example"},
      {"ёж.example", "ЁЖ.example"},
      {"ÿ.example", "Ÿ.example"},
  };
  for (const auto& [lower, upper] : capitals)
    CHECK(logins_of(site_of("xn--x.example", lower)).find(std::string("lena@") + upper + " ") !=
          std::string::npos);
  CHECK(logins_of(site_of("xn--x.example", "ölü.example")).find("lena@Ölü.example ") != std::string::npos);
  // Letters of three octets, and those without a case.
  CHECK(logins_of(site_of("xn--x.example", "日本.example")) == "lena@日本.example lena@xn--x.example\n");
}
