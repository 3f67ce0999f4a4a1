// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/logins.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>

namespace mailstead::render {
namespace {

/// The capital of a two-octet letter in UTF-8: Latin, Greek and Cyrillic, all of whose capitals have two
/// octets as well. A table of our own, because one of the system's would make the image depend on the machine
/// that builds it.
char32_t upper(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (within(0xe0, 0xfe) && c != 0xf7) return c - 0x20;
  if (c == 0xff) return 0x178;
  if (c == 0x131) return c;  // its capital is ASCII's
  if (within(0x100, 0x137) || within(0x14a, 0x177)) return c & ~char32_t{1};
  if (within(0x139, 0x148) || within(0x179, 0x17e)) return c % 2 == 0 ? c - 1 : c;
  if (c == 0x3ac) return 0x386;
  if (within(0x3ad, 0x3af)) return c - 0x25;
  if (c == 0x3cc) return 0x38c;
  if (within(0x3cd, 0x3ce)) return c - 0x3f;
  if (within(0x3b1, 0x3cb) && c != 0x3c2) return c - 0x20;
  if (within(0x430, 0x44f)) return c - 0x20;
  if (within(0x450, 0x45f)) return c - 0x50;
  return c;
}

/// The text from its beginning with up to `most` of its letters beyond ASCII as capitals. ASCII stays:
/// Dovecot has made it lower case.
std::string with_capitals(std::string_view text, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (i >= most || first < 0xc0 || first >= 0xe0 || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const auto second = static_cast<unsigned char>(text[++i]);
    const char32_t capital = upper((first & 0x1fu) << 6 | (second & 0x3fu));
    out += static_cast<char>(0xc0u | capital >> 6);
    out += static_cast<char>(0x80u | (capital & 0x3fu));
  }
  return out;
}

}  // namespace

std::vector<Login> other_logins(const spec::Site& site) {
  std::map<std::string, std::vector<std::string>> spellings;
  for (const spec::Domain& domain : site.domains)
    if (domain.unicode != domain.name)
      spellings[domain.name] = {domain.unicode, with_capitals(domain.unicode, 1),
                                with_capitals(domain.unicode, domain.unicode.size())};
  std::vector<Login> logins;
  const auto add_spellings = [&](const spec::Address& address, const spec::Account& account) {
    const auto found = spellings.find(address.domain);
    if (found == spellings.end()) return;
    for (const std::string& domain : found->second)
      logins.push_back({address.local + "@" + domain, &account});
  };
  for (const spec::Account& account : site.accounts) {
    add_spellings(account.address, account);
    for (const spec::Address& alias : account.aliases) {
      logins.push_back({alias.text(), &account});
      add_spellings(alias, account);
    }
  }
  const auto before = [](const Login& a, const Login& b) { return a.name < b.name; };
  const auto same = [](const Login& a, const Login& b) { return a.name == b.name; };
  std::sort(logins.begin(), logins.end(), before);
  logins.erase(std::unique(logins.begin(), logins.end(), same), logins.end());
  return logins;
}

}  // namespace mailstead::render
