// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/fragment.hpp"

#include "base/files.hpp"
#include "mailtest/needs.hpp"
#include "mailtest/player.hpp"
#include "mailtest/table.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;

namespace {

using Words = std::vector<std::string>;

/// A folder of dialogues, and the folder of fragments beside it.
struct Folders {
  Folders() {
    REQUIRE(make_directories(dialogues));
    REQUIRE(make_directories(root.path() / "parts"));
  }
  void write(const std::string& file, const std::string& text) const {
    REQUIRE(write_file(root.path() / file, text));
  }
  Result<Dialogue> read(const std::string& steps) const {
    TRY(Dialogue dialogue, parse_dialogue("# t\n" + steps, "t.dialogue"));
    CHECK_OK(find_companions(dialogue, dialogues));
    return dialogue;
  }
  std::string errors_of(const std::string& steps) const {
    const auto dialogue = read(steps);
    REQUIRE_FALSE(dialogue.has_value());
    return format_error(dialogue.error());
  }
  std::string path_of(const std::string& file) const { return (root.path() / file).string(); }

  TemporaryDirectory root = std::move(*TemporaryDirectory::create());
  std::filesystem::path dialogues = root.path() / "mail";
};

/// The lines of a fragment with its parameters put in.
std::string filled(const std::string& text, const Words& arguments) {
  const auto lines = fill_fragment(text, "f.part", arguments);
  REQUIRE(lines.has_value());
  std::string joined;
  for (const Line& line : *lines) joined += line.text + "\n";
  return joined;
}

Status play(const Dialogue& dialogue) {
  Stage stage;
  stage.variables = {{"unique", "u1"}, {"password:a@b.example", "secret"}};
  return Player(std::move(stage)).play(dialogue);
}

}  // namespace

TEST_CASE("arguments are words, and in quotes with blanks") {
  CHECK(split_arguments(" a b=c\td=\"e  f\" g=\"\"") == Words{"a", "b=c", "d=e  f", "g="});
  CHECK(split_arguments(R"(a=charset="utf-8" "e f" h="say \"i\"")") ==
        Words{R"(a=charset="utf-8")", "\"e", "f\"", R"(h=say "i")"});
  CHECK(split_arguments("")->empty());
  CHECK(!split_arguments("a h=\"i"));
}

TEST_CASE("a fragment's parameters are put in, its line stays and is empty") {
  const std::string text =
      "# x\nparameters account folder=INBOX\n> ${account} ${password:${account}} ${folder}\n";
  CHECK(filled(text, {"account=a"}) == "# x\n\n> a ${password:a} INBOX\n");
  CHECK(filled(text, {"folder=${x}", "account="}) == "# x\n\n>  ${password:} ${x}\n");
  CHECK(filled("> ${a\n", {}) == "> ${a\n");
  // What is put in is not looked at again.
  CHECK(filled("parameters a b\n${a}\n", {"a=${b}", "b=c"}) == "\n${b}\n");
}

TEST_CASE("a value ends neither a message nor a block of the fragment") {
  const Folders folders;
  folders.write("parts/m.part", "parameters text\nmessage m <<END\na\n${text}\nb\nEND\n");
  folders.write("parts/b.part", "parameters step\nwait 1s until\n  ${step}\nend\n");
  const auto dialogue = folders.read("include m.part text=END\ncheck m matches ^a\\r\\nEND\\r\\nb\\r\\n$\n");
  if (!dialogue) FAIL(format_error(dialogue.error()));
  const Status played = play(*dialogue);
  if (!played) FAIL(format_error(played.error()));
  CHECK(folders.errors_of("include b.part step=end\n")
            .starts_with(folders.path_of("parts/b.part") + ":3:3: unknown keyword 'end'\n"));
}

TEST_CASE("a wrong argument is named, with what there is") {
  const auto says = [](const std::string& text, const Words& arguments) {
    const auto lines = fill_fragment(text, "f.part", arguments);
    REQUIRE_FALSE(lines.has_value());
    return format_error(lines.error());
  };
  CHECK(says("parameters a b\n", {"a=1", "c=2"}) == "f.part has no parameter 'c'\n  it has: a, b\n");
  CHECK(says("> x\n", {"c=2"}) == "f.part has no parameter 'c'\n  it has none\n");
  CHECK(says("parameters a b\n", {"a=1", "a=2"}) == "the parameter 'a' is given twice\n");
  CHECK(says("parameters a b\n", {"a=1"}) == "f.part needs a value for 'b'\n  add b=VALUE\n");
  CHECK(says("parameters a a\n", {"a=1"}).starts_with("f.part:1:1: the parameter 'a' is listed twice\n"));
  CHECK(says("parameters a=\"b\n", {}).starts_with("f.part:1:1: a quote is not closed\n"));
  CHECK(says("# x\nparameters A\n", {}).starts_with("f.part:2:1: 'A' is not a parameter's name\n"));
}

TEST_CASE("an included fragment is played with its parameters, and leaves what it sets") {
  const Folders folders;
  folders.write("parts/join.part", "parameters name one two=${unique}\nset ${name} = ${one}-${two}\n");
  folders.write("mail/own.part", "parameters text\ninclude join.part name=x one=\"${text}\"\n");
  const auto dialogue = folders.read(
      "include own.part text=\"a b\"\ncheck x equals a b-u1\nwait 2s until\n  include join.part name=y one=1 "
      "two=${x}\nend\ncheck y equals 1-a b-u1\n");
  if (!dialogue) FAIL(format_error(dialogue.error()));
  CHECK(needed_variables(*dialogue) == std::set<std::string>{"unique"});
  const Status played = play(*dialogue);
  if (!played) FAIL(format_error(played.error()));
}

TEST_CASE("a fragment beside the dialogue is taken before one in parts") {
  const Folders folders;
  folders.write("parts/f.part", "set x = far\n");
  folders.write("mail/f.part", "set x = near\n");
  const auto dialogue = folders.read("include f.part\ncheck x equals near\n");
  REQUIRE(dialogue.has_value());
  CHECK(play(*dialogue).has_value());
}

TEST_CASE("a failure in a fragment has its place there, and tells who included it") {
  const Folders folders;
  folders.write("parts/f.part", "# fragment\nparameters v\nset x = 1\ncheck x equals ${v}\n");
  const auto dialogue = folders.read("include f.part v=2\n");
  REQUIRE(dialogue.has_value());
  const Status played = play(*dialogue);
  REQUIRE_FALSE(played.has_value());
  const std::string text = format_error(played.error());
  INFO(text);
  CHECK(text.starts_with(folders.path_of("parts/f.part") + ":4:1: "));
  CHECK(text.find("included in line 2: include f.part v=2") != std::string::npos);
}

TEST_CASE("an include that cannot be read is an error with its place") {
  const Folders folders;
  CHECK(folders.errors_of("include no.part\n")
            .starts_with("t.dialogue:2:1: there is no no.part beside the dialogue, and no " +
                         folders.path_of("parts/no.part") + "\n"));
  folders.write("parts/a.part", "include b.part\n");
  folders.write("parts/b.part", "include a.part\n");
  CHECK(folders.errors_of("include a.part\n")
            .starts_with(folders.path_of("parts/b.part") +
                         ":1:1: a.part includes itself: " + folders.path_of("parts/a.part") + " → " +
                         folders.path_of("parts/b.part") + " → " + folders.path_of("parts/a.part") + "\n"));
  folders.write("parts/c.part", "parameters x\n> ${x}\n");
  CHECK(folders.errors_of("include c.part y=1\n").find("has no parameter 'y'\n") != std::string::npos);
  CHECK(folders.errors_of("include c.part y=1\n").starts_with("t.dialogue:2:1: "));
  folders.write("parts/d.part", "nonsense\n");
  CHECK(folders.errors_of("include d.part\n").starts_with(folders.path_of("parts/d.part") + ":1:1: "));
  CHECK(folders.errors_of("include d.part\n").find("included by t.dialogue:2") != std::string::npos);
  folders.write("parts/e.part", "machine own\n> x\n");
  CHECK(folders.errors_of("include e.part\n").find("'machine' belongs in the dialogue") != std::string::npos);
  folders.write("parts/g.part", "# nothing\n");
  CHECK(folders.errors_of("include g.part\n").find("the fragment has no steps") != std::string::npos);
}

TEST_CASE("dialogues of one's own may include the fragments that Mailstead has") {
  const Folders folders, own;
  folders.write("parts/f.part", "set x = shipped\n");
  auto dialogue = parse_dialogue("# t\ninclude f.part\ncheck x equals shipped\n", "t.dialogue");
  REQUIRE(dialogue.has_value());
  REQUIRE_FALSE(find_companions(*dialogue, own.dialogues).has_value());
  REQUIRE(find_companions(*dialogue, own.dialogues, folders.dialogues.parent_path()).has_value());
  CHECK(play(*dialogue).has_value());
}

TEST_CASE("a name that another makes is not asked for before it is played") {
  const auto dialogue = parse_dialogue("# t\n> ${password:${who}} ${base64:a${x}}\n", "t.dialogue");
  REQUIRE(dialogue.has_value());
  CHECK(needed_variables(*dialogue) == std::set<std::string>{"who", "x"});
}

TEST_CASE("fragments are bounded") {
  const Folders folders;
  for (int i = 0; i < 10; ++i)
    folders.write("parts/f" + std::to_string(i) + ".part",
                  i == 9 ? "> x\n" : "include f" + std::to_string(i + 1) + ".part\n");
  CHECK(folders.errors_of("include f0.part\n").find("included too deep") != std::string::npos);
  CHECK(folders.read("include f2.part\n").has_value());
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "include f9.part\n";
  CHECK(folders.errors_of(many).find("more than 1000 fragments") != std::string::npos);
}

TEST_CASE("an include may go on in the next lines") {
  const auto dialogue =
      parse_dialogue("# t\ninclude f.part a=1 \\\n  b=\"2 3\" \\\n  c=4\n> x\n", "t.dialogue");
  REQUIRE(dialogue.has_value());
  REQUIRE(dialogue->steps.size() == 2);
  const auto& include = std::get<verb::Include>(dialogue->steps[0].action);
  CHECK(include.file == "f.part");
  CHECK(include.arguments == Words{"a=1", "b=2 3", "c=4"});
  CHECK(dialogue->steps[1].line == 5);
}

TEST_CASE("the form of an include is checked") {
  for (const char* line : {"include", "include f", "include ../f.part", "include f.part x",
                           "include f.part =x", "include f.part \\", "include f.part x=\"y"}) {
    INFO(line);
    const auto dialogue = parse_dialogue(std::string("# t\n") + line + "\n", "t.dialogue");
    REQUIRE_FALSE(dialogue.has_value());
    CHECK(format_error(dialogue.error()).find("write: include FILE.part NAME=VALUE…") != std::string::npos);
  }
  const auto unread = parse_dialogue("# t\ninclude f.part\n", "t.dialogue");
  REQUIRE(unread.has_value());
  CHECK_FALSE(play(*unread).has_value());
}
