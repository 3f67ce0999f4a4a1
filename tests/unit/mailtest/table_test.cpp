// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/table.hpp"

#include <filesystem>

#include "base/files.hpp"
#include "mailtest/needs.hpp"
#include "mailtest/player.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;

TEST_CASE("a table has a row a line, with tabs between its fields") {
  const auto rows = parse_table("# words\n\none\ta b\\r\\n\ntwo\t\\x00\\t\n", "t.table", 2);
  REQUIRE(rows.has_value());
  REQUIRE(rows->size() == 2);
  CHECK((*rows)[0].line == 3);
  CHECK((*rows)[0].fields == std::vector<std::string>{"one", "a b\r\n"});
  CHECK((*rows)[1].fields == std::vector<std::string>{"two", std::string("\0\t", 2)});
}

TEST_CASE("errors in a table have a place, all at once") {
  const auto rows = parse_table("one\ttwo\n\\q\nthree\n", "t.table", 1);
  REQUIRE_FALSE(rows.has_value());
  const std::string text = format_error(rows.error());
  CHECK(text.find("t.table:1:1: the line has 2 fields; the dialogue names 1") != std::string::npos);
  CHECK(text.find("t.table:2:1:") != std::string::npos);
  CHECK_FALSE(parse_table("# nothing\n", "t.table", 1).has_value());
}

TEST_CASE("a block is played once for each row") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  REQUIRE(write_file(folder.path() / "words.table", "a\tb\n${own}\tc\n").has_value());
  auto dialogue = parse_dialogue(
      "# t\nset all =\neach first second in words.table\n  set all = ${all}${first}-${second} \nend\n"
      "check all equals a-bx-c\neach first second in words.table\n  check second equals b\nend\n",
      "t.dialogue");
  REQUIRE(dialogue.has_value());
  REQUIRE(find_companions(*dialogue, folder.path()).has_value());
  CHECK(needed_variables(*dialogue) == std::set<std::string>{"own"});
  Stage stage;
  stage.variables.emplace("own", "x");
  const auto played = Player(std::move(stage)).play(*dialogue);
  REQUIRE_FALSE(played.has_value());
  const std::string text = format_error(played.error());
  CHECK(text.find("t.dialogue:8:3") != std::string::npos);
  CHECK(text.find("at words.table:2: ${own}\\x09c") != std::string::npos);
}

TEST_CASE("a block is played for the rows of a condition only") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  REQUIRE(write_file(folder.path() / "t.table", "a\tyes\nb\t${no}\nc\tyes\n").has_value());
  auto dialogue = parse_dialogue(
      "# t\nset all =\nset no = never\neach x taken in t.table where taken is yes\n  set all = "
      "${all}${x}\nend\n"
      "each x taken in t.table where taken is ${no}\n  set all = ${all}${x}\nend\ncheck all equals acb\n",
      "t.dialogue");
  REQUIRE(dialogue.has_value());
  REQUIRE(find_companions(*dialogue, folder.path()).has_value());
  CHECK(needed_variables(*dialogue).empty());
  CHECK(Player(Stage{}).play(*dialogue).has_value());
  for (const char* bad : {"each x in t where y is z", "each x in t where x", "each x in t when x is y",
                          "each in t where x is y"})
    CHECK_FALSE(
        parse_dialogue(std::string("# t\n") + bad + "\n  set a = b\nend\n", "t.dialogue").has_value());
}

TEST_CASE("a table that is not there is an error of the dialogue") {
  auto dialogue = parse_dialogue("# t\neach x in no.table\n  check x equals b\nend\n", "t.dialogue");
  REQUIRE(dialogue.has_value());
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const auto read = find_companions(*dialogue, folder.path());
  REQUIRE_FALSE(read.has_value());
  CHECK(format_error(read.error()).find("t.dialogue:2:1: ") == 0);
}

TEST_CASE("a message is what a script beside the dialogue writes, byte for byte") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  REQUIRE(write_file(folder.path() / "make.py",
                     "import sys\nsys.stdout.buffer.write(b'\\0 a\\r\\n' + sys.argv[1].encode())\n")
              .has_value());
  auto dialogue = parse_dialogue(
      "# t\nset word = x y\nmessage made by make.py ${word}\ncheck made matches ^\\x00 a\\r\\nx y$\n",
      "t.dialogue");
  REQUIRE(dialogue.has_value());
  REQUIRE(find_companions(*dialogue, folder.path()).has_value());
  CHECK(Player(Stage{}).play(*dialogue).has_value());
}

TEST_CASE("a table of the site is played for its rows, or not at all") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const auto play = [&](const std::string& each, const SiteTables& tables) {
    auto dialogue = parse_dialogue(
        "# t\nset said = no\neach " + each + "\n  set said = ${domain}\nend\ncheck said equals no\n",
        "t.dialogue");
    REQUIRE(dialogue.has_value());
    if (auto found = find_companions(*dialogue, folder.path(), {}, tables); !found)
      return format_error(found.error());
    const auto played = Player(Stage{}).play(*dialogue);
    return played ? std::string("played") : format_error(played.error());
  };
  CHECK(play("domain all in site:domains", {}) == "played");
  const std::string one =
      play("domain all in site:domains", {{"domains", {{"a.example", "no"}, {"b\\n.example", "no"}}}});
  CHECK(one.find("b\\n.example") != std::string::npos);  // as it is, without escapes
  CHECK(play("domain x y in site:domains", {}).find("there is no such table of the site") !=
        std::string::npos);
  const std::string unknown = play("domain in site:hosts", {});
  CHECK(unknown.find("t.dialogue:3:1") == 0);
  CHECK(unknown.find("domains (fields: 2)") != std::string::npos);
}

TEST_CASE("a script that is not there, or fails, is an error of the dialogue") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  auto dialogue = parse_dialogue("# t\nmessage made by make.py\n", "t.dialogue");
  REQUIRE(dialogue.has_value());
  const auto missing = find_companions(*dialogue, folder.path());
  REQUIRE_FALSE(missing.has_value());
  CHECK(format_error(missing.error()).find("t.dialogue:2:1: there is no script ") == 0);
  REQUIRE(write_file(folder.path() / "make.py", "import sys\nsys.exit('no such message')\n").has_value());
  REQUIRE(find_companions(*dialogue, folder.path()).has_value());
  const auto played = Player(Stage{}).play(*dialogue);
  REQUIRE_FALSE(played.has_value());
  CHECK(format_error(played.error()).find("no such message") != std::string::npos);
}
