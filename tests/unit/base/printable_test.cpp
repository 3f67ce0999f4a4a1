// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/printable.hpp"

#include "support/catch.hpp"

using namespace mailstead;

TEST_CASE("Names from an image cannot steer the terminal") {
  CHECK(printable("Főtanúsítvány.pem €😀") == "Főtanúsítvány.pem €😀");
  CHECK(printable("\x1b[2Jx\r\n\t\x7f") == "\\x1b[2Jx\\x0d\\x0a\\x09\\x7f");
  CHECK(printable("a\tb", true) == "a\tb");
  CHECK(printable("a\u202eb\u2067c") == "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa7c");
  CHECK(printable("\xc2\x9b"
                  "2J") == "\\xc2\\x9b2J");  // CSI as one C1 character
}

TEST_CASE("What is not UTF-8 is shown by its bytes") {
  CHECK(printable("\xff\xc0\xaf\xe2\x82") == "\\xff\\xc0\\xaf\\xe2\\x82");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // half of a surrogate pair
  CHECK(printable("\xf5\x80\x80\x80").starts_with("\\xf5"));
  CHECK(is_text("ü\x1b\n"));
  CHECK_FALSE(is_text("\xff"));
  CHECK_FALSE(is_text(std::string_view("a\0b", 3)));
}
