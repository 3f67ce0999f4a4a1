// SPDX-License-Identifier: GPL-3.0-or-later
// What a spec lets stand before the '@' is what the appliance has been seen to serve, character by character.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/files.hpp"
#include "spec/load.hpp"
#include "spec/names.hpp"
#include "support/catch.hpp"

using namespace mailstead;

namespace {

constexpr std::string_view kAlphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::string_view kSpecial = "!#$%&'*+-/=?^_`{|}~";  // RFC 5322 section 3.2.3, atext

bool has(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

bool accepts(const std::string& account, const std::string& alias) {
  return spec::parse_site(
             fmt::format("mailstead: 1\nhostname: mail.example.org\ndomains:\n  example.org:\naccounts:\n  "
                         "\"{}@example.org\":\n"
                         "    password_hash: "
                         "$y$j9T$eZPgAI8dRmY59VNv0rfa40$pcgmRvLOtyMLs4xblAgdIzPOW2TiLmDNtzNidCGVHW.\n"
                         "    aliases: [postmaster@example.org, \"{}@example.org\"]\n",
                         account, alias),
             "mail.yaml")
      .has_value();
}

}  // namespace

TEST_CASE("the characters that an address may have are those of RFC 5321's atoms") {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    INFO(byte);
    const bool atext = has(kAlphanumeric, c) || has(kSpecial, c);
    CHECK(spec::parse_address(std::string("a") + c + "b@elsewhere.example").has_value() ==
          (atext || c == '.'));
    CHECK(spec::parse_address(std::string(1, c) + "b@elsewhere.example").has_value() == atext);
  }
}

TEST_CASE("an alias may have them all, an account those that a path and a program's argument can have") {
  for (const char c : kSpecial) {
    INFO(c);
    CHECK(accepts("lena", std::string("a") + c + "b"));
    CHECK(accepts("lena", std::string(1, c) + "b") == (c != '#'));
    CHECK(accepts(std::string("a") + c + "b", "x") == (c == '-' || c == '_'));
    CHECK(accepts(std::string(1, c) + "b", "x") == (c == '-' || c == '_'));
  }
}

TEST_CASE("a dialogue has mail for each of them") {
  const auto table =
      read_file(std::string(MAILSTEAD_SOURCE_DIR) + "/qemu-tests/static/special-characters.tsv");
  REQUIRE(table);
  for (const char c : kSpecial) {
    INFO(c);
    const std::string line = c == '#' ? "a#b" : std::string({c, 'a', c, 'b'});
    CHECK(table->find("\n" + line + "\n") != std::string::npos);
  }
}
