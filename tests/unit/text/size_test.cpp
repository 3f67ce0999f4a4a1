// SPDX-License-Identifier: GPL-3.0-or-later
#include "text/size.hpp"

#include "support/catch.hpp"

using namespace mailstead::text;

TEST_CASE("sizes are whole numbers and powers of 1024") {
  CHECK(parse_size("0") == 0u);
  CHECK(parse_size("123") == 123u);
  CHECK(parse_size("1K") == 1024u);
  CHECK(parse_size("20MiB") == 20u << 20);
  CHECK(parse_size("5G") == 5ull << 30);
  CHECK(parse_size("3TiB") == 3ull << 40);
  CHECK(parse_size("18446744073709551615") == 18446744073709551615u);
  CHECK(parse_size("16777215T") == 16777215ull << 40);
}

TEST_CASE("what is no size, and what no number holds") {
  for (const char* bad :
       {"", "M", "-1", "+1", " 1", "1 M", "1MB", "1iB", "1.5G", "1m", "1P", "1Mi", "0x10"}) {
    INFO(bad);
    REQUIRE_FALSE(parse_size(bad).has_value());
    CHECK(parse_size(bad).error() == SizeFault::no_size);
  }
  for (const char* large : {"18446744073709551616", "16777216T", "99999999999999999999999M"}) {
    INFO(large);
    REQUIRE_FALSE(parse_size(large).has_value());
    CHECK(parse_size(large).error() == SizeFault::too_large);
  }
}
