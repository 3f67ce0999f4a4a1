// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/root_hash.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::verify;

namespace {

const std::string kDigits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

}  // namespace

TEST_CASE("A root hash is taken with digits in either case, and is lower case from there on") {
  CHECK(parse_root_hash(kDigits).value() == kDigits);
  std::string upper;
  for (const char c : kDigits) upper += c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  CHECK(parse_root_hash(upper).value() == kDigits);
  CHECK(parse_root_hash(upper.substr(0, 32) + kDigits.substr(32)).value() == kDigits);
}

TEST_CASE("What is no root hash is refused with what is wrong in it") {
  const auto refusal = [](std::string_view text) {
    const auto hash = parse_root_hash(text);
    REQUIRE_FALSE(hash);
    CHECK(hash.error().kind == ErrorKind::usage);
    CHECK(hash.error().hint == "give what `mailstead build` has printed behind \"root hash\"");
    return hash.error().message;
  };
  CHECK(refusal("") == "--root-hash '': it has 0 digits instead of 64");
  CHECK(refusal("12") == "--root-hash '12': it has 2 digits instead of 64");
  CHECK(refusal(kDigits + "0") == "--root-hash '" + kDigits + "0': it has 65 digits instead of 64");
  CHECK(refusal("12x4") == "--root-hash '12x4': character 3 is no hexadecimal digit");
  CHECK(refusal(" " + kDigits) == "--root-hash ' " + kDigits + "': character 1 is no hexadecimal digit");
  for (const char wrong : {'g', 'G', '/', ':', '@', '`'})
    CHECK(refusal(kDigits.substr(1) + wrong).ends_with("': character 64 is no hexadecimal digit"));
  // What comes from elsewhere must not reach the terminal as it is.
  CHECK(refusal("\x1b[2J") == "--root-hash '\\x1b[2J': character 1 is no hexadecimal digit");
}
