// SPDX-License-Identifier: GPL-3.0-or-later
// Steps about the machine, played on one that only notes what it is told to do.
#include <fmt/format.h>

#include "mailtest/player.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;

namespace {

class NotedAppliance : public Appliance {
 public:
  Status power_on() override { return note("on"); }
  Status power_off() override { return note("off"); }
  Status power_cut() override { return note("cut"); }
  Status wait_boot(Deadline deadline) override {
    const auto left = std::chrono::ceil<std::chrono::minutes>(deadline - std::chrono::steady_clock::now());
    return note(fmt::format("boot {}m", left.count()));
  }
  Result<std::vector<JournalEntry>> journal() override {
    (void)note("journal");
    return entries;
  }
  Status resize_disk(std::uint64_t bytes) override { return note(fmt::format("resize {}", bytes)); }
  Status add_disk(const std::string& label) override { return note("add " + label); }
  Status check_data_sound() override { return note("sound"); }
  Status check_data_fills_disk() override { return note("fills"); }
  Status write_image(bool whole) override { return note(whole ? "whole" : "slots"); }
  Status write_disk(std::uint64_t place, const std::string& bytes) override {
    return note(fmt::format("write {} {}", place, bytes));
  }
  Result<std::string> debugfs(const std::string& request) override {
    (void)note("debugfs " + request);
    return "Inode: 12\nMode: 0644\n";
  }
  Status attach_copy() override { return note("attach"); }
  Status detach_copy() override { return note("detach"); }
  Status check_copy_unchanged() override { return note("unchanged"); }
  Status press(const std::vector<std::string>& keys) override { return note("press " + keys.back()); }
  Result<std::string> screen() override { return "mailstead login:"; }
  Result<std::string> serial() override { return "Reached target"; }
  double slowness() const override { return 1; }

  std::vector<JournalEntry> entries;
  std::string done;

 private:
  Status note(const std::string& call) {
    done += (done.empty() ? "" : ", ") + call;
    return ok();
  }
};

Status play_on(NotedAppliance& appliance, const std::string& steps) {
  const auto dialogue = parse_dialogue("# t\n" + steps, "t.dialogue");
  if (!dialogue) FAIL(format_error(dialogue.error()));
  Stage stage;
  stage.appliance = &appliance;
  stage.variables["inode"] = "<12>";
  return Player(std::move(stage)).play(*dialogue);
}

std::string done_by(const std::string& steps) {
  NotedAppliance appliance;
  const Status played = play_on(appliance, steps);
  if (!played) FAIL(format_error(played.error()));
  return appliance.done;
}

std::string failure_of(NotedAppliance& appliance, const std::string& steps) {
  const Status played = play_on(appliance, steps);
  REQUIRE_FALSE(played.has_value());
  return played.error().message;
}

}  // namespace

TEST_CASE("steps about power are passed on to the machine") {
  CHECK(done_by("reboot\n") == "off, on");
  CHECK(done_by("power-cut\npower-cut off\n") == "cut, on, cut");
  CHECK(done_by("power-off\npower-on\nwait-boot\nwait-boot within 2m\n") == "off, on, boot 5m, boot 2m");
  CHECK(done_by("press esc ret\n") == "press ret");
}

TEST_CASE("steps about the disk are passed on to the machine") {
  CHECK(done_by("disk-size 4G\nother-disk l\nwrite-image whole\nwrite-image slots\n") ==
        "resize 4294967296, add l, whole, slots");
  CHECK(done_by("write-disk 1M+1 \"a b\"\ncopied-disk attach\ncopied-disk detach\ncopied-disk unchanged\n") ==
        "write 1048577 a b, attach, detach, unchanged");
  CHECK(done_by("data-partition sound\ndata-partition fills-disk\n") == "sound, fills");
  CHECK(done_by("debugfs stat ${inode}\n<* Mode: 0644\ncapture Inode: (?P<n>[0-9]+)\ncheck n equals 12\n") ==
        "debugfs stat <12>");
}

TEST_CASE("console and screen are searched") {
  NotedAppliance appliance;
  const Status good = play_on(appliance,
                              "serial has target$\nserial lacks login\nscreen has login:\n"
                              "wait-serial within 1s Reached\n");
  if (!good) FAIL(format_error(good.error()));
  CHECK(failure_of(appliance, "serial has login\n") == "the console does not show login");
  CHECK(failure_of(appliance, "screen lacks login\n") == "the screen shows login:\nmailstead login:");
  CHECK(failure_of(appliance, "wait-serial within 50ms login\n") == "the console has not shown login");
}

TEST_CASE("the journal is read once, and again when the machine has run or its disk has changed") {
  NotedAppliance appliance;
  appliance.entries.resize(2);
  appliance.entries[0].identifier = "a";
  appliance.entries[0].message = "hello";
  appliance.entries[1].identifier = "b";
  appliance.entries[1].message = "broken";
  appliance.entries[1].priority = 3;
  const Status good = play_on(appliance,
                              "journal has ^a: hello$\njournal lacks absent\njournal no-failed-units\n"
                              "journal except ^b:\njournal no-errors\nreboot\njournal has b\n"
                              "disk-size 4G\njournal has b\n");
  if (!good) FAIL(format_error(good.error()));
  CHECK(appliance.done == "journal, off, on, journal, resize 4294967296, journal");
  CHECK(failure_of(appliance, "journal no-errors\n") ==
        "an entry of the journal should not be there:\n       b: broken");
  CHECK(failure_of(appliance, "journal has absent\n") == "no entry of the journal matches absent");
  CHECK(failure_of(appliance, "journal lacks hello\n") ==
        "an entry of the journal should not be there:\n       a: hello");
  appliance.entries.clear();
  CHECK(failure_of(appliance, "journal no-errors\n") == "the journal is empty");
}

TEST_CASE("a step about the machine fails if there is none") {
  const auto dialogue = parse_dialogue("# t\npower-off\n", "t.dialogue");
  REQUIRE(dialogue.has_value());
  const Status played = Player(Stage{}).play(*dialogue);
  REQUIRE_FALSE(played.has_value());
  CHECK(played.error().message == "this dialogue is played without a machine");
}
