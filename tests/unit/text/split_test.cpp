// SPDX-License-Identifier: GPL-3.0-or-later
#include "text/split.hpp"

#include "support/catch.hpp"

using namespace mailstead::text;

namespace {

using Parts = std::vector<std::string_view>;

}  // namespace

TEST_CASE("lines end with LF or CRLF") {
  CHECK(split_lines("a\nb\r\n\nc") == Parts{"a", "b", "", "c"});
  CHECK(split_lines("a\n") == Parts{"a"});
  CHECK(split_lines("\n\n") == Parts{"", ""});
  CHECK(split_lines("a\r") == Parts{"a"});
  CHECK(split_lines("").empty());
}

TEST_CASE("words are separated by blanks") {
  CHECK(split_words(" a\t bc  d\t") == Parts{"a", "bc", "d"});
  CHECK(split_words("a\nb") == Parts{"a\nb"});
  CHECK(split_words(" \t").empty());
  CHECK(split_words("").empty());
}

TEST_CASE("blanks at both ends are taken off") {
  CHECK(trim(" \ta b\t ") == "a b");
  CHECK(trim("a\n") == "a\n");
  CHECK(trim(" \t").empty());
  CHECK(trim("").empty());
}

TEST_CASE("parts can be kept") {
  CHECK(to_strings(split_words("a b")) == std::vector<std::string>{"a", "b"});
}
