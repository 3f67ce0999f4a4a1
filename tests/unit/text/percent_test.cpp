// SPDX-License-Identifier: GPL-3.0-or-later
#include "text/percent.hpp"

#include "support/catch.hpp"

using namespace mailstead::text;

TEST_CASE("all but letters, digits and what is plain is percent-encoded") {
  CHECK(percent_encoded("aZ0-.+ä", "-.") == "aZ0-.%2B%C3%A4");
  CHECK(percent_encoded("1:2+b", "", HexDigits::lower) == "1%3a2%2bb");
  CHECK(percent_encoded(std::string_view("\0%", 2), "") == "%00%25");
}

TEST_CASE("what was percent-encoded is found again, and the rest stays") {
  CHECK(percent_decoded("a%20b%2fc%2Fd") == "a b/c/d");
  CHECK(percent_decoded("%41") == "A");
  for (const char* kept : {"%", "100%", "%4", "%zz", "%-1", "%4g", "%%"})
    CHECK(percent_decoded(kept) == kept);
  CHECK(percent_decoded("%%41") == "%A");
}
