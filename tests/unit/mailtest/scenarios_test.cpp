// SPDX-License-Identifier: GPL-3.0-or-later
// What lies in qemu-tests/ is understood, without booting anything.
#include <filesystem>
#include <set>

#include "base/files.hpp"
#include "mailtest/dialogue.hpp"
#include "mailtest/needs.hpp"
#include "mailtest/run_scenarios.hpp"
#include "mailtest/table.hpp"
#include "mailtest/world.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;
namespace fs = std::filesystem;

TEST_CASE("every dialogue and world of qemu-tests is understood") {
  const std::set<std::string> known = {"appliance", "appliance6", "date",    "unique",  "ports",
                                       "ssh_key",   "authority",  "machine", "outside", "reason"};
  int dialogues = 0;
  int worlds = 0;
  for (const auto& entry : fs::recursive_directory_iterator(MAILSTEAD_SOURCE_DIR "/qemu-tests")) {
    const fs::path& path = entry.path();
    if (path.extension() == ".dialogue") {
      ++dialogues;
      auto dialogue = parse_dialogue(read_file(path).value(), path.string());
      if (!dialogue) FAIL(format_error(dialogue.error()));
      const Status found = find_companions(*dialogue, path.parent_path());
      if (!found) FAIL(format_error(found.error()));
      for (const std::string& name : needed_variables(*dialogue)) {
        INFO(path);
        CHECK((name.starts_with("password:") || known.contains(name)));
      }
    } else if (path.filename() == "world") {
      ++worlds;
      const auto plan = parse_world(read_file(path).value(), path.string());
      if (!plan) FAIL(format_error(plan.error()));
    }
  }
  CHECK(dialogues >= 25);
  CHECK(worlds >= 2);
}

/// A folder of scenarios of a test's own, none of which can be run.
struct Scenarios {
  Scenarios() { options.scenarios = folder.path(); }

  void write(const std::string& name, const std::string& world, const std::string& steps) const {
    REQUIRE(make_directories(folder.path() / name).has_value());
    REQUIRE(write_file(folder.path() / name / "world", world).has_value());
    REQUIRE(write_file(folder.path() / name / "10-x.dialogue", "# t\n" + steps).has_value());
  }
  Error refusal() const {
    const auto reporter = make_quiet_reporter();
    auto done = run_scenarios(options, *reporter);
    REQUIRE_FALSE(done.has_value());
    return std::move(done).error();
  }

  TemporaryDirectory folder = std::move(*TemporaryDirectory::create());
  Options options;
};

TEST_CASE("a runner without scenarios, or with broken ones, says so before it boots") {
  const Scenarios scenarios;
  CHECK(scenarios.refusal().message == "no scenario of that name in " + scenarios.folder.path().string());
  scenarios.write("mail", "nonsense\n", "nonsense\n");
  const std::string text = format_error(scenarios.refusal());
  CHECK(text.find("mail/world:1:1: this line is not understood") != std::string::npos);
  CHECK(text.find("mail/10-x.dialogue:2:1: unknown keyword 'nonsense'") != std::string::npos);
}

TEST_CASE("a site that no scenario is for is told so before anything is booted") {
  Scenarios scenarios;
  scenarios.options.site = "mail.mine.example";
  scenarios.write("other", "site mail.example.org\n", "power-off\n");
  const Error none = scenarios.refusal();
  CHECK(none.kind == ErrorKind::usage);
  CHECK(none.message == "no scenario in " + scenarios.folder.path().string() +
                            " is for mail.mine.example: 'other' is for mail.example.org");
  CHECK(none.hint.find("'site mail.mine.example'") != std::string::npos);
}

TEST_CASE("scenarios for any site are for one that has none of its own, or by their name") {
  Scenarios scenarios;
  scenarios.options.site = "mail.mine.example";
  // What is played needs a variable that it has not: each refusal tells what that would have been.
  scenarios.write("any", "site any\n", "> ${of-any}\n");
  scenarios.write("other", "site mail.example.org\n", "power-off\n");
  const auto played = [&] { return scenarios.refusal().message; };
  CHECK(played() == "the variable 'of-any' of any/10-x has no value");
  scenarios.write("mine", "site mail.mine.example\n", "> ${of-mine}\n");
  CHECK(played() == "the variable 'of-mine' of mine/10-x has no value");
  scenarios.options.only = {"any"};
  CHECK(played() == "the variable 'of-any' of any/10-x has no value");
  scenarios.options.only = {"10-x"};
  CHECK(played() == "the variable 'of-mine' of mine/10-x has no value");
  // What the world cannot do for this site is an error only where it would be needed.
  scenarios.options.surroundings = fail(ErrorKind::usage, "no such card");
  CHECK(played() == "the variable 'of-mine' of mine/10-x has no value");
  scenarios.options.only = {"any/10"};
  CHECK(played() == "no such card");
}

TEST_CASE("what dialogues need is known before anything is booted") {
  const auto dialogue = parse_dialogue(
      "# t\nconnect smtp ${appliance} 25 from ${peer}\n<~ ^220 (?P<name>.*)\n> HELO ${name}\n"
      "auth-plain a@b.example ${password:a@b.example}\n>raw \"${base64:\\0${user}\\0${length:secret}}\"\n"
      "message kept <<END\n${inside}\nEND\ndata kept\ndata other\nset own = ${given}\ncheck own equals x\n"
      "wait 5s until\n  received within 1s to ${who} as mail\nend\ncheck mail.from equals ${own}\n"
      "check nowhere equals x\n",
      "t");
  if (!dialogue) FAIL(format_error(dialogue.error()));
  CHECK(needed_variables(*dialogue) == std::set<std::string>{"appliance", "given", "inside", "nowhere",
                                                             "other", "password:a@b.example", "peer",
                                                             "secret", "user", "who"});

  Scenarios scenarios;
  scenarios.options.site = "mail.mine.example";
  const auto run = [&](const std::string& steps) {
    scenarios.write("mine", "site mail.mine.example\n", steps);
    const Error error = scenarios.refusal();
    CHECK(error.kind == ErrorKind::usage);
    return format_error(error);
  };
  const std::string passwords =
      run("auth-plain x ${password:b@mine.example}\nauth-plain x ${password:a@mine.example}\n");
  CHECK(passwords.find("the dialogues log in as a@mine.example, b@mine.example") != std::string::npos);
  CHECK(passwords.find("give their passwords by --passwords FILE") != std::string::npos);
  const std::string other = run("> ${ssh_key} ${date} ${unique} ${appliance6}\n");
  CHECK(other.find("the variable 'ssh_key' of mine/10-x has no value") != std::string::npos);
  CHECK(other.find("--set ssh_key=VALUE") != std::string::npos);
  CHECK(other.find("date") == std::string::npos);
  scenarios.options.variables["ssh_key"] = "x";
  CHECK(run("> ${ssh_key} ${authority}\n").find("'ssh_key'") == std::string::npos);
}

TEST_CASE("a run without scenarios has not passed") {
  CHECK_FALSE(Summary{}.passed());
}
