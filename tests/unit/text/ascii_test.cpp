// SPDX-License-Identifier: GPL-3.0-or-later
#include "text/ascii.hpp"

#include "support/catch.hpp"

using namespace mailstead::text;

TEST_CASE("letters and digits are those of ASCII") {
  int digits = 0;
  int letters = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    digits += is_digit(c);
    letters += is_lower(c) + is_upper(c);
    CHECK(is_alphanumeric(c) == (is_digit(c) || is_lower(c) || is_upper(c)));
  }
  CHECK(digits == 10);
  CHECK(letters == 52);
}

TEST_CASE("other bytes keep their case") {
  CHECK(lower("AbZ[@Ä") == "abz[@Ä");
  CHECK(upper("aBz{`ä") == "ABZ{`ä");
  CHECK(lower("").empty());
}

TEST_CASE("the name of a system's user is what systemd takes everywhere") {
  for (const char* name : {"_", "root", "systemd-network", "_apt", "a23456789012345678901234567890b"})
    CHECK(is_system_name(name));
  for (const char* name :
       {"", "0a", "-a", "Root", "a.b", "a:b", "a b", "ä", "a23456789012345678901234567890bc"})
    CHECK_FALSE(is_system_name(name));
}
