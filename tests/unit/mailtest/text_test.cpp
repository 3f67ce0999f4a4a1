// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/text.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;

TEST_CASE("a glob covers the whole text") {
  CHECK(glob_matches("250 *", "250 OK"));
  CHECK(glob_matches("250 *", "250 a\nb"));
  CHECK(glob_matches("*Junk*", "* LIST () Junk x"));
  CHECK(glob_matches("a?c", "abc"));
  CHECK(glob_matches("*", ""));
  CHECK_FALSE(glob_matches("250 *", "550 OK"));
  CHECK_FALSE(glob_matches("250", "250 OK"));
  CHECK_FALSE(glob_matches("a?c", "ac"));
}

TEST_CASE("a glob of many stars takes no exponential time") {
  CHECK_FALSE(glob_matches("*a*a*a*a*a*a*a*a*a*a*b", std::string(20000, 'a')));
}

TEST_CASE("a regular expression is searched for and leaves its named groups") {
  Variables captures;
  CHECK(regex_search("([A-Z]+) UID (?P<uid>[0-9]+)", "FETCH UID 17)", captures).value());
  CHECK(captures.at("uid") == "17");
  CHECK(regex_search("^OK", "* 1 EXISTS\nOK done", captures).value());
  CHECK_FALSE(regex_search("^NO", "OK\nYES NO", captures).value());
  SECTION("a bracket in a set opens no group") {
    CHECK(regex_search("[(](?P<x>a)[]\\)]", "(a]", captures).value());
    CHECK(captures.at("x") == "a");
  }
  SECTION("no expression takes exponential time") {
    const std::string many = "(" + std::string(90, '(') + "a?" + [] {
      std::string ends;
      for (int i = 0; i < 90; ++i) ends += ")?";
      return ends;
    }() + ")*$";
    CHECK(regex_search(many, std::string(2000, 'a') + "b", captures).value());
    CHECK_FALSE(regex_search("^(a|a)*c", std::string(20000, 'a'), captures).value());
  }
  SECTION("a group that took no part leaves nothing") {
    CHECK(regex_search("(?P<one>x)|(?P<two>y)", "y", captures).value());
    CHECK(captures.at("one").empty());
    CHECK(captures.at("two") == "y");
  }
  SECTION("the longest match is taken, and bytes are bytes") {
    CHECK(regex_search("(?P<m>a|ab)", "ab", captures).value());
    CHECK(captures.at("m") == "ab");
    CHECK(regex_search("\xff.\xfe", std::string("\xff\0\xfe", 3), captures).value());
  }
  SECTION("errors") {
    CHECK_FALSE(check_regex("(").has_value());
    CHECK_FALSE(check_regex("(?P<>a)").has_value());
    CHECK_FALSE(check_regex("a{1,30000}").has_value());
    CHECK_FALSE(check_regex("a{30000,}").has_value());
    CHECK_FALSE(check_regex("((a{100}b){100}c){100}").has_value());
    CHECK_FALSE(check_regex("a" + std::string(90, '+')).has_value());
    CHECK(check_regex("^([[:alnum:]]{1,63}[.])+[a-z]{2,63}( [0-9]+)+$").has_value());
    CHECK(check_regex("<${length:m}> ${user}").has_value());
  }
}

TEST_CASE("variables are put in") {
  const Variables variables = {{"user", "alice"}, {"m", "12345"}};
  CHECK(expand("<${user}@x>", variables).value() == "<alice@x>");
  CHECK(expand("${length:${which}}", {{"which", "m"}, {"m", "xyz"}}).value() == "3");
  CHECK(expand("${password:${who}}", {{"who", "a!b@c"}, {"password:a!b@c", "x"}}).value() == "x");
  CHECK(expand("${password:${who}}", {{"who", "d"}}).error().message ==
        "the variable 'password:d' has no value");
  CHECK(expand("${length:m}", variables).value() == "5");
  CHECK(expand("${base64:\\0${user}\\0pw}", variables).value() == "AGFsaWNlAHB3");
  CHECK(expand("costs $5 {x}", variables).value() == "costs $5 {x}");
  CHECK(expand("${nobody}", variables).error().message == "the variable 'nobody' has no value");
  CHECK(expand("${user", variables).error().message == "'${' without '}'");
  CHECK_FALSE(expand("${base64:${base64:x}}", variables).has_value());
}

TEST_CASE("escapes") {
  CHECK(unescape("a\\r\\n\\t\\\\\\\"\\x41\\0").value() == std::string("a\r\n\t\\\"A\0", 8));
  CHECK_FALSE(unescape("\\x4").has_value());
  CHECK_FALSE(unescape("\\xzz").has_value());
  CHECK_FALSE(unescape("\\q").has_value());
  CHECK_FALSE(unescape("\\").has_value());
}

TEST_CASE("durations") {
  using namespace std::chrono_literals;
  CHECK(parse_duration("300ms") == 300ms);
  CHECK(parse_duration("30s") == 30s);
  CHECK(parse_duration("2m") == 2min);
  CHECK_FALSE(parse_duration("2").has_value());
  CHECK_FALSE(parse_duration("-2s").has_value());
  CHECK_FALSE(parse_duration("s").has_value());
  CHECK_FALSE(parse_duration("86400001s").has_value());
  CHECK_FALSE(parse_duration("99999999999999999999s").has_value());
}

TEST_CASE("messages are sent with CRLF and doubled dots") {
  CHECK(to_crlf("a\n\nb") == "a\r\n\r\nb\r\n");
  CHECK(to_crlf("a\r\n") == "a\r\n");
  CHECK(to_crlf("").empty());
  CHECK(dot_stuff(".\r\na.b\r\n..c\r\n") == "..\r\na.b\r\n...c\r\n.\r\n");
}

TEST_CASE("what is printed for people shows control characters") {
  CHECK(printable("a\r\n\x01") == "a\\r\\n\\x01");
  CHECK(printable("abcdef", 3) == "abc…");
  CHECK(printable("ü\x9b\n") == "ü\\x9b\\n");
  CHECK(printable("") == "");
}

TEST_CASE("a place on a disk is a sum") {
  CHECK(parse_place("0") == 0u);
  CHECK(parse_place("1080") == 1080u);
  CHECK(parse_place("2G+1080") == (2ull << 30) + 1080);
  CHECK(parse_place("1G+1M+1") == (1ull << 30) + (1u << 20) + 1);
  for (const char* wrong : {"", "+", "1+", "2X", "-1", "1G 1", "99999999999999999999"})
    CHECK_FALSE(parse_place(wrong).has_value());
}
