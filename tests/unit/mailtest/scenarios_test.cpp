// SPDX-License-Identifier: GPL-3.0-or-later
// What lies in qemu-tests/ is understood, without booting anything.
#include <filesystem>

#include "base/files.hpp"
#include "mailtest/dialogue.hpp"
#include "mailtest/run_scenarios.hpp"
#include "mailtest/world.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;
namespace fs = std::filesystem;

TEST_CASE("every dialogue and world of qemu-tests is understood") {
  int dialogues = 0;
  int worlds = 0;
  for (const auto& entry : fs::recursive_directory_iterator(MAILSTEAD_SOURCE_DIR "/qemu-tests")) {
    const fs::path& path = entry.path();
    if (path.extension() == ".dialogue") {
      ++dialogues;
      const auto dialogue = parse_dialogue(read_file(path).value(), path.string());
      if (!dialogue) FAIL(format_error(dialogue.error()));
    } else if (path.filename() == "world") {
      ++worlds;
      const auto plan = parse_world(read_file(path).value(), path.string());
      if (!plan) FAIL(format_error(plan.error()));
    }
  }
  CHECK(dialogues >= 25);
  CHECK(worlds >= 2);
}

TEST_CASE("a runner without scenarios, or with broken ones, says so before it boots") {
  const auto reporter = make_quiet_reporter();
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder.has_value());
  Options options;
  options.scenarios = folder->path();
  const auto none = run_scenarios(options, *reporter);
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message == "no scenario of that name in " + folder->path().string());
  REQUIRE(make_directories(folder->path() / "mail").has_value());
  REQUIRE(write_file(folder->path() / "mail/world", "nonsense\n").has_value());
  REQUIRE(write_file(folder->path() / "mail/10-x.dialogue", "# t\nnonsense\n").has_value());
  const auto broken = run_scenarios(options, *reporter);
  REQUIRE_FALSE(broken.has_value());
  const std::string text = format_error(broken.error());
  CHECK(text.find("mail/world:1:1: this line is not understood") != std::string::npos);
  CHECK(text.find("mail/10-x.dialogue:2:1: unknown keyword 'nonsense'") != std::string::npos);
}

TEST_CASE("a site that no scenario is for is told so before anything is booted") {
  const auto reporter = make_quiet_reporter();
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder.has_value());
  Options options;
  options.site = "mail.mine.example";
  options.scenarios = folder->path();
  REQUIRE(make_directories(folder->path() / "other").has_value());
  REQUIRE(write_file(folder->path() / "other/world", "site mail.example.org\n").has_value());
  REQUIRE(write_file(folder->path() / "other/10-x.dialogue", "# t\npower-off\n").has_value());
  const auto none = run_scenarios(options, *reporter);
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().kind == ErrorKind::usage);
  CHECK(none.error().message == "no scenario in " + folder->path().string() +
                                    " is for mail.mine.example: 'other' is for mail.example.org");
  CHECK(none.error().hint.find("'site mail.mine.example'") != std::string::npos);
}

TEST_CASE("a run without scenarios has not passed") {
  CHECK_FALSE(Summary{}.passed());
}
