// SPDX-License-Identifier: GPL-3.0-or-later
// Whatever the bytes are, reading them as a spec ends in a site that holds what Site promises, or in a
// printable error.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "base/error.hpp"
#include "spec/load.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\n' || (byte >= 0x20 && byte != 0x7f);
  });
}

void check_error(const mailstead::Error& error) {
  require(!error.message.empty());
  require(error.kind == mailstead::ErrorKind::usage);
  require(error.place.has_value() && error.place->line >= 0 && error.place->column >= 0 &&
          error.place->length >= 1);
  for (const mailstead::Error& other : error.others) check_error(other);
}

void check_site(const mailstead::spec::Site& site) {
  require(!site.hostname.empty() && !site.domains.empty());
  std::set<mailstead::spec::Address> accounts;
  for (const auto& account : site.accounts) {
    require(!account.password_hash.empty());
    require(account.address.local.find('/') == std::string::npos && account.address.local != "..");
    require(accounts.insert(account.address).second);
  }
  for (const auto& [name, targets] : site.aliases) {
    require(!accounts.contains(name) && !targets.empty());
    for (const auto& target : targets) require(accounts.contains(target));
  }
  for (const auto& [name, targets] : site.forwards) require(!targets.empty());
  for (const auto& domain : site.domains) {
    require(!domain.dkim.empty());
    if (domain.catch_all) require(accounts.contains(*domain.catch_all));
    for (const auto& key : domain.dkim) {
      require(key.private_key.string().starts_with(site.folder.string() + "/secrets/dkim/"));
      require(key.private_key == key.private_key.lexically_normal());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto site = mailstead::spec::parse_site(text, "/nonexistent/site/mail.yaml");
  if (site) {
    check_site(*site);
  } else {
    check_error(site.error());
    require(is_printable(mailstead::format_error(site.error())));
  }
  return 0;
}
