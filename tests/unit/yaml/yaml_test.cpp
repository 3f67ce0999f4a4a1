// SPDX-License-Identifier: GPL-3.0-or-later
#include "yaml/yaml.hpp"

#include <fmt/format.h>

#include <functional>

#include "support/catch.hpp"
#include "yaml/tree.hpp"

using namespace mailstead;

namespace {

yaml::Document parsed(const std::string& text) {
  auto document = yaml::Document::parse(text, "file.yaml");
  INFO(text << "\n" << (document ? "" : format_error(document.error())));
  REQUIRE(document);
  return *document;
}

std::string refusal(const std::string& text) {
  const auto document = yaml::Document::parse(text, "file.yaml");
  REQUIRE(!document);
  return format_error(document.error());
}

/// A tree as text: maps in braces, lists in brackets, scalars in quotes.
std::string shape(const yaml::Value& value) {
  yaml::Problems problems;
  std::string out;
  if (value.is_null()) return "~";
  if (value.is_scalar()) return fmt::format("'{}'", value.text());
  if (value.is_list()) {
    for (const yaml::Value& item : value.as_list(problems)) out += (out.empty() ? "" : " ") + shape(item);
    return "[" + out + "]";
  }
  yaml::MapReader map(value, problems);
  for (const auto& entry : map.take_all())
    out += (out.empty() ? "" : " ") + shape(entry.key) + ":" + shape(entry.value);
  return "{" + out + "}";
}

/// "line:column+length" of a value.
std::string at(const yaml::Value& value) {
  const Place place = value.place();
  return fmt::format("{}:{}+{}", place.line, place.column, place.length);
}

}  // namespace

TEST_CASE("Scalars are what was written, whatever YAML might make of them") {
  CHECK(shape(parsed("[no, 0755, 1e3, 2026-01-01, .5, on, 'null', \"~\", TRUE, 12:30]").root()) ==
        "['no' '0755' '1e3' '2026-01-01' '.5' 'on' 'null' '~' 'TRUE' '12:30']");
  CHECK(shape(parsed("[null, ~, Null, NULL]").root()) == "[~ ~ ~ ~]");
  CHECK(shape(parsed("a:\nb: ''\nc:\n- \n- x\n").root()) == "{'a':~ 'b':'' 'c':[~ 'x']}");
  CHECK(shape(parsed("a: |\n  one\n   two\nb: >-\n  one\n  two\nc: one\n  two\n").root()) ==
        "{'a':'one\n two\n' 'b':'one two' 'c':'one two'}");
  CHECK(shape(parsed("\"a\\tb\\u00fc\": 'it''s'\n").root()) == "{'a\tbü':'it's'}");
}

TEST_CASE("Empty files are empty, and a byte order mark is no text") {
  CHECK(shape(parsed("").root()) == "~");
  CHECK(shape(parsed("# nothing\n").root()) == "~");
  CHECK(shape(parsed("---\n").root()) == "~");
  CHECK(shape(parsed("\xef\xbb\xbf"
                     "a: b\r\nc: d\r\n")
                  .root()) == "{'a':'b' 'c':'d'}");
  CHECK(at(parsed("\xef\xbb\xbf"
                  "a: b\n")
               .root()) == "1:1+1");
}

TEST_CASE("Aliases are copies of what they name") {
  CHECK(shape(parsed("a: &x {b: [1, 2]}\nc: *x\nd: [*x, *x]\n").root()) ==
        "{'a':{'b':['1' '2']} 'c':{'b':['1' '2']} 'd':[{'b':['1' '2']} {'b':['1' '2']}]}");
  CHECK(shape(parsed("&k key: v\n*k : w\n").root()) == "{'key':'v'}");
  CHECK(shape(parsed("a: &x 1\nb: &x 2\nc: *x\n").root()) == "{'a':'1' 'b':'2' 'c':'2'}");
  CHECK(shape(parsed("a: &x\nb: *x\n").root()) == "{'a':~ 'b':~}");
  CHECK(refusal("a: &x [*x]\n").find("a part of") != std::string::npos);
}

TEST_CASE("Each value knows where it is") {
  yaml::Problems problems;
  const yaml::Document document = parsed(
      "grüße: {größe: [ä, \"ö\\\"x\", 'it''s']}\n"
      "plain:   two words   # and a comment\n"
      "nothing:\n"
      "list:\n"
      "  - a: 1\n"
      "  -\n"
      "  - |\n"
      "    text\n"
      "last: ~\n");
  yaml::MapReader map(document.root(), problems);
  const auto entries = map.take_all();
  REQUIRE(entries.size() == 5);
  CHECK(at(entries[0].key) == "1:1+5");
  CHECK(at(entries[0].value) == "1:8+1");
  yaml::MapReader inner(entries[0].value, problems);
  const auto items = inner.take("größe")->as_list(problems);
  CHECK(at(items[0]) == "1:17+1");
  CHECK(at(items[1]) == "1:20+6");
  CHECK(at(items[2]) == "1:28+7");
  CHECK(at(entries[1].value) == "2:10+9");
  CHECK(at(entries[2].value) == "3:1+7");  // what is not there is at its key
  const auto list = entries[3].value.as_list(problems);
  CHECK(at(list[0]) == "5:5+1");
  CHECK(at(list[1]) == "6:3+1");
  CHECK(at(list[2]) == "7:5+1");
  CHECK(at(entries[4].value) == "9:7+1");
  CHECK(entries[1].value.place().source_line == "plain:   two words   # and a comment");
  CHECK(problems.empty());
}

TEST_CASE("Source lines do not show secrets") {
  yaml::Problems problems;
  const yaml::Document document = parsed(
      "a: {x: 1, password_hash: s3cret, b: c}\n"
      "password:\n"
      "  s3cret\n"
      "  s3cret too\n"
      "pasword: [s3cret,\n"
      "  {c: s3cret}]\n"
      "b: {k: 1, Secret: {d: s3cret}}\n"
      "c: d\n");
  std::string lines;
  const std::function<void(const yaml::Value&)> visit = [&](const yaml::Value& value) {
    lines += value.place().source_line + "\n";
    if (value.is_list()) {
      for (const yaml::Value& item : value.as_list(problems)) visit(item);
    } else if (value.is_map()) {
      yaml::MapReader map(value, problems);
      for (const auto& entry : map.take_all()) {
        visit(entry.key);
        visit(entry.value);
      }
    }
  };
  visit(document.root());
  CHECK(lines.find("s3cret") == std::string::npos);
  CHECK(lines.find("a: {x: 1, password_hash: …\n") != std::string::npos);
  CHECK(lines.find("c: d\n") != std::string::npos);
}

TEST_CASE("Errors of syntax do not show secrets") {
  for (const char* text :
       {"a: {password_hash: \"s3cret}\n", "password:\n  s3cret: x: y\n", "password_hash: s3cret: x\n",
        "password_hash: @s3cret\n", "password_hash: [s3cret\n", "hash: |\n s3cret\n\ts3cret: [\n",
        "password_hash: !s3cret x\n", "password_hash: *s3cret\n"}) {
    const std::string message = refusal(text);
    INFO(text << message);
    CHECK(
        (message.find("s3cret") == std::string::npos || message.find("tag '!s3cret'") != std::string::npos));
  }
}

TEST_CASE("Bounds have their texts") {
  CHECK(refusal("a: 1\nb: [" + std::string(300'000, 'x') + "]\n") ==
        "file.yaml:2:4: what begins here is longer than 256 KiB\n"
        "  a single text, and a list or map in one line, must be shorter\n");
  std::string many;
  for (int i = 0; i < 250'000; ++i) many += "- x\n";
  CHECK(refusal(many) ==
        "file.yaml:250000:3: the file holds more than 250000 values\n"
        "250000 | - x\n"
        "      |   ^\n");
}

TEST_CASE("A message of yaml-cpp that has no explanation is shown") {
  const yaml::Fault fault = yaml::explain("out of luck", 2, "a: b\n", 0);
  CHECK(fault.message == "this is not valid YAML (out of luck)");
  CHECK(fault.offset == 2);
}

TEST_CASE("Wrong types are reported and reading goes on") {
  yaml::Problems problems;
  const yaml::Document document =
      parsed("a: [1]\nb: {c: d}\nd: 99999999999999999999\ne: -5\nf: 1x\ng: 007\n");
  yaml::MapReader map(document.root(), problems);
  CHECK(!map.take("a")->as_string(problems));
  CHECK(map.take("b")->as_list(problems).empty());
  CHECK(!map.take("d")->as_integer(problems, 0, 10));
  CHECK(map.take("e")->as_integer(problems, -5, 10) == -5);
  CHECK(!map.take("f")->as_integer(problems, 0, 10));
  CHECK(!map.take("g")->as_bool(problems));
  CHECK(!map.require("h"));
  map.finish();
  const Status status = std::move(problems).finish();
  REQUIRE(!status);
  CHECK(format_error(status.error()) ==
        "file.yaml:1:1: the key 'h' is missing\n"
        "    1 | a: [1]\n"
        "      | ^\n"
        "file.yaml:1:4: expected text, found a list\n"
        "    1 | a: [1]\n"
        "      |    ^\n"
        "file.yaml:2:4: expected a list, found a map\n"
        "    2 | b: {c: d}\n"
        "      |    ^\n"
        "file.yaml:3:4: '99999999999999999999' is not between 0 and 10\n"
        "    3 | d: 99999999999999999999\n"
        "      |    ^~~~~~~~~~~~~~~~~~~~\n"
        "file.yaml:5:4: expected a number, found '1x'\n"
        "    5 | f: 1x\n"
        "      |    ^~\n"
        "file.yaml:6:4: expected true or false, found '007'\n"
        "    6 | g: 007\n"
        "      |    ^~~\n");
}

TEST_CASE("A map reader reports what nobody took, once") {
  yaml::Problems problems;
  const yaml::Document document = parsed("known: 1\nknwon: 2\nother: 3\nknown: 4\n");
  {
    yaml::MapReader map(document.root(), problems);
    CHECK(map.take("known")->text() == "1");
    map.finish();
  }
  const Status status = std::move(problems).finish();
  REQUIRE(!status);
  CHECK(status.error().message == "unknown key 'knwon'; did you mean 'known'?");
  REQUIRE(status.error().others.size() == 2);
  CHECK(status.error().others[0].message == "unknown key 'other'");
  CHECK(status.error().others[1].message == "the key 'known' is listed twice");
}

TEST_CASE("Suggestions are near") {
  const std::vector<std::string> words{"accounts", "aliases", "tls", "ssh"};
  CHECK(yaml::nearest("acounts", words) == "accounts");
  CHECK(yaml::nearest("acocunts", words) == "accounts");
  CHECK(yaml::nearest("alaises", words) == "aliases");
  CHECK(yaml::nearest("tsl", words) == "tls");
  CHECK(!yaml::nearest("x", words));
  CHECK(!yaml::nearest("webmail", words));
  CHECK(!yaml::nearest("", words));
  const std::vector<std::string> long_words{"abcdefghijklmnopqrstuvwxyz", "abcdefghijklm"};
  CHECK(yaml::nearest("xabcdefgihjklmnopqrstuvwxz", long_words) == long_words[0]);
  CHECK(!yaml::nearest("xyabcdefgihjklmnopqrstuvwxz", long_words));
  CHECK(yaml::nearest("abcdefghij", long_words) == long_words[1]);
  CHECK(yaml::nearest("abcdefghijklmxyz", long_words) == long_words[1]);
}

TEST_CASE("Quoted text is harmless on a terminal") {
  CHECK(yaml::quote("a\x1b[0mb\n") == "'a\\x1b[0mb\\x0a'");
  CHECK(yaml::quote("ü") == "'ü'");
  CHECK(yaml::quote(std::string(100, 'x')) == "'" + std::string(80, 'x') + "…'");
}

TEST_CASE("Long maps and lists in brackets are read where they are values") {
  std::string text = "a: {\n";
  for (int i = 0; i < 50'000; ++i) text += fmt::format("  key{}: [value, value],\n", i);
  text += "}\n";
  const yaml::Document document = parsed(text);
  yaml::Problems problems;
  yaml::MapReader map(document.root(), problems);
  yaml::MapReader inner(*map.require("a"), problems);
  CHECK(inner.take_all().size() == 50'000);
}
