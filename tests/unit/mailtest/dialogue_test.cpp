// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/dialogue.hpp"

#include "mailtest/text.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;

namespace {

std::string errors_of(const std::string& text) {
  const auto dialogue = parse_dialogue(text, "t.dialogue");
  REQUIRE_FALSE(dialogue.has_value());
  return format_error(dialogue.error());
}

}  // namespace

TEST_CASE("what a client of TLS offers is a version and a suite") {
  const auto dialogue =
      parse_dialogue("# t\nstarttls\nstarttls offering TLSv1.2 AES128-SHA\ntls offering ${v} ${s}\n", "t");
  REQUIRE(dialogue.has_value());
  CHECK(std::get<verb::StartTls>(dialogue->steps[0].action).offer.version.written.empty());
  CHECK(std::get<verb::StartTls>(dialogue->steps[1].action).offer.suite.written == "AES128-SHA");
  CHECK(std::get<verb::Tls>(dialogue->steps[2].action).offer.version.written == "${v}");
  CHECK(errors_of("# t\nstarttls TLSv1.2\n").find("write: starttls [offering VERSION SUITE]") !=
        std::string::npos);
  CHECK(errors_of("# t\ntls-refused\n").find("write: tls-refused offering VERSION SUITE") !=
        std::string::npos);
}

TEST_CASE("a dialogue is read line by line") {
  const auto dialogue = parse_dialogue(
      "# SPDX-License-Identifier: GPL-3.0-or-later\n"
      "# Mail arrives\n"
      "machine own\n"
      "firmware uefi\n"
      "\n"
      "connect smtp ${appliance} 25 from 198.51.100.7 as sender\n"
      "< 220 *\n"
      "> EHLO x\n"
      "<* STARTTLS\n"
      "data <<END\n"
      "Subject: x\n"
      "  indented\n"
      "END\n"
      "wait 30s until\n"
      "  > NOOP\n"
      "  <~ ^250 (?P<rest>.*)$\n"
      "end\n"
      ">raw \"a\\nb\"\n"
      "set name =  two words \n",
      "t.dialogue");
  REQUIRE(dialogue.has_value());
  CHECK(dialogue->title == "Mail arrives");
  CHECK(dialogue->own_machine);
  CHECK(dialogue->hardware.firmware == vm::Firmware::uefi);
  const std::vector<Step>& steps = dialogue->steps;
  REQUIRE(steps.size() == 8);
  const auto& connect = std::get<verb::Connect>(steps[0].action);
  CHECK(connect.protocol == Protocol::smtp);
  CHECK(connect.address.written == "${appliance}");
  CHECK(connect.port.written == "25");
  CHECK_FALSE(connect.tls);
  CHECK(connect.from.written == "198.51.100.7");
  CHECK(connect.name.written == "sender");
  CHECK(steps[0].line == 6);
  CHECK(std::get<verb::ExpectGlob>(steps[1].action).glob.written == "220 *");
  CHECK(std::get<verb::ReplyHas>(steps[3].action).part.written == "STARTTLS");
  CHECK(std::get<verb::Data>(steps[4].action).text.written == "Subject: x\n  indented\n");
  CHECK(std::get<verb::WaitUntil>(steps[5].action).within == std::chrono::seconds(30));
  REQUIRE(steps[5].block.size() == 2);
  CHECK(std::get<verb::ExpectRegex>(steps[5].block[1].action).regex.written == "^250 (?P<rest>.*)$");
  CHECK(std::get<verb::SendRaw>(steps[6].action).bytes.written == "a\nb");
  CHECK(std::get<verb::Set>(steps[7].action).value.written == "two words");
}

TEST_CASE("errors have a place, a remedy, and come all at once") {
  CHECK(errors_of("# t\nconect smtp a 25\nconnect ftp a 25\n") ==
        "t.dialogue:2:1: unknown keyword 'conect'\n"
        "    2 | conect smtp a 25\n"
        "      | ^~~~~~~~~~~~~~~~\n"
        "t.dialogue:3:1: this line is not understood\n"
        "    3 | connect ftp a 25\n"
        "      | ^~~~~~~~~~~~~~~~\n"
        "  write: connect smtp|imap|sieve|plain ADDRESS PORT [tls] [from ADDRESS] [as NAME]\n");
}

TEST_CASE("a dialogue says what disk it wants and what happens to it") {
  const auto dialogue = parse_dialogue(
      "# t\n"
      "machine own off\n"
      "disk 3G\n"
      "wait-serial within 90s Starting .*repart\n"
      "disk-size 512M\n"
      "other-disk some-label\n"
      "data-partition sound\n",
      "t.dialogue");
  REQUIRE(dialogue.has_value());
  CHECK(dialogue->own_machine);
  CHECK(dialogue->starts_off);
  CHECK(dialogue->hardware.disk_bytes == 3ull << 30);
  REQUIRE(dialogue->steps.size() == 4);
  const auto& wait = std::get<verb::WaitSerial>(dialogue->steps[0].action);
  CHECK(wait.within == std::chrono::seconds(90));
  CHECK(wait.regex.written == "Starting .*repart");
  CHECK(std::get<verb::DiskSize>(dialogue->steps[1].action).bytes == 512u << 20);
  CHECK(std::get<verb::OtherDisk>(dialogue->steps[2].action).label == "some-label");
  CHECK(std::get<verb::DataPartition>(dialogue->steps[3].action).what == verb::DataCheck::sound);
}

TEST_CASE("a dialogue says what its machine is like") {
  const auto dialogue = parse_dialogue(
      "# t\n"
      "machine own\n"
      "clock 1990-01-01\n"
      "screen\n"
      "watchdog\n"
      "disk-controller megasas\n"
      "network-card e1000e\n"
      "screen has .*login\n"
      "write-disk 2G+1080 \"\\x53\\xef x\"\n"
      "debugfs clri /lib/x\n"
      "power-cut off\n"
      "press shift-a ret\n",
      "t.dialogue");
  if (!dialogue) FAIL(format_error(dialogue.error()));
  CHECK(dialogue->hardware.clock == "1990-01-01");
  CHECK(dialogue->hardware.screen);
  CHECK(dialogue->hardware.watchdog);
  CHECK(dialogue->hardware.disk_controller == "megasas");
  CHECK(dialogue->hardware.network_card == "e1000e");
  REQUIRE(dialogue->steps.size() == 5);
  const auto& screen = std::get<verb::Screen>(dialogue->steps[0].action);
  CHECK(screen.has);
  CHECK(screen.regex.written == ".*login");
  const auto& write = std::get<verb::WriteDisk>(dialogue->steps[1].action);
  CHECK(write.place == (2ull << 30) + 1080);
  CHECK(write.bytes == "\x53\xef x");
  CHECK(std::get<verb::Debugfs>(dialogue->steps[2].action).request.written == "clri /lib/x");
  CHECK(std::get<verb::PowerCut>(dialogue->steps[3].action).stays_off);
  CHECK(std::get<verb::Press>(dialogue->steps[4].action).keys == std::vector<std::string>{"shift-a", "ret"});
}

TEST_CASE("each mistake is named") {
  const auto says = [](const std::string& text, const std::string& part) {
    const std::string errors = errors_of(text);
    INFO(errors);
    return errors.find(part) != std::string::npos;
  };
  CHECK(says("> NOOP\n", "the dialogue has no title"));
  CHECK(says("# t\n", "the dialogue has no steps"));
  CHECK(says("# t\nend\n", "'end' without 'wait … until'"));
  CHECK(says("# t\nwait 3s until\n> a\n", "t.dialogue:2:1: the block has no 'end'"));
  CHECK(says("# t\nwait 3 until\nend\n", "write: wait TIME until"));
  CHECK(says("# t\ndata <<END\nx\n", "the text has no line 'END' at its end"));
  CHECK(says("# t\n<~ (\n", "not a regular expression"));
  CHECK(says("# t\n>raw abc\n", "double quotes"));
  CHECK(says("# t\n>raw \"\\q\"\n", "bad escape"));
  CHECK(says("# t\n<x\n", "unknown kind of line"));
  CHECK(says("# t\nconnect smtp a 70000\n", "this line is not understood"));
  CHECK(says("# t\nconnect smtp a 25 from\n", "this line is not understood"));
  CHECK(says("# t\n> a\nmachine own\n", "'machine' belongs before the first step"));
  CHECK(says("# t\nmachine big\n> a\n", "expected 'machine shared|own|own off'"));
  CHECK(says("# t\ndisk 3\n> a\n", "expected 'disk SIZE'"));
  CHECK(says("# t\ndisk-size 0G\n", "write: disk-size SIZE"));
  CHECK(says("# t\nwait-serial 2m x\n", "write: wait-serial within TIME REGEX"));
  CHECK(says("# t\nwait-serial within 2m (\n", "not a regular expression"));
  CHECK(says("# t\ndata-partition full\n", "write: data-partition sound|fills-disk"));
  CHECK(says("# t\nmessage x by /bin/make.py\n", "write: message NAME <<END, or message NAME by SCRIPT"));
  CHECK(says("# t\nmessage x by\n", "this line is not understood"));
  CHECK(says("# t\nmessage x <<END y\nEND\n", "this line is not understood"));
  CHECK(says("# t\nanswers in 3s\n", "write: answers within TIME"));
  CHECK(says("# t\nclock 1990-01-01\n> a\n", "add a line 'machine own'"));
  CHECK(says("# t\nmachine own\nclock 1990,x\n> a\n", "expected 'clock DATE"));
  CHECK(says("# t\nmachine own\nnetwork-card a,b\n> a\n", "expected 'network-card DEVICE"));
  CHECK(says("# t\nmachine own\nfirmware coreboot\n> a\n", "expected 'firmware bios|uefi|uefi-secure-boot'"));
  CHECK(says("# t\nscreen shows x\n", "write: screen has|lacks REGEX"));
  CHECK(says("# t\nwrite-disk 2X \"a\"\n", "write: write-disk PLACE"));
  CHECK(says("# t\nwrite-disk 2G a\n", "double quotes"));
  CHECK(says("# t\nwrite-image half\n", "write: write-image whole|slots"));
  CHECK(says("# t\ncopied-disk burn\n", "write: copied-disk attach|detach|unchanged"));
  CHECK(says("# t\npower-cut soon\n", "write: power-cut [off]"));
  CHECK(says("# t\njournal says x\n", "write: journal has|lacks|except"));
  CHECK(says("# t\n<*\n", "write: <* TEXT"));
  CHECK(says("# t\n<\tx\n", "unknown kind of line"));
  CHECK(says("# t\nset x 1\n", "write: set NAME = TEXT"));
  CHECK(says("# t\ncheck x is 1\n", "write: check NAME contains|lacks|equals|matches TEXT"));
  CHECK(says("# t\ncheck x equals\n", "this line is not understood"));
  CHECK(says("# t\nreceived within 3s to a@b as x y\n", "write: received within TIME to ADDRESS as NAME"));
  CHECK(says("# t\noracle ../x\n", "write: oracle PROGRAM [ARGUMENT…]"));
  CHECK(says("# t\nports-open a 25 x\n", "write: ports-open ADDRESS PORT…"));
  CHECK(says("# t\npower-off now\n", "write: power-off"));
}

TEST_CASE("a line that is not understood is one mistake, whatever else is wrong in it") {
  CHECK(errors_of("# t\nwait-serial in 2m (\n") ==
        "t.dialogue:2:1: this line is not understood\n"
        "    2 | wait-serial in 2m (\n"
        "      | ^~~~~~~~~~~~~~~~~~~\n"
        "  write: wait-serial within TIME REGEX\n");
}

TEST_CASE("blanks in front of what is said, or expected, belong to it") {
  const auto dialogue = parse_dialogue("# t\n>  a\n<*   b\nset x =   c\n>\n", "t.dialogue");
  REQUIRE(dialogue.has_value());
  CHECK(std::get<verb::Send>(dialogue->steps[0].action).line.written == " a");
  CHECK(std::get<verb::ReplyHas>(dialogue->steps[1].action).part.written == "  b");
  CHECK(std::get<verb::Set>(dialogue->steps[2].action).value.written == "c");
  CHECK(std::get<verb::Send>(dialogue->steps[3].action).line.written.empty());
}

TEST_CASE("blocks are bounded") {
  std::string text = "# t\n";
  for (int i = 0; i < 6; ++i) text += "wait 1s until\n";
  CHECK(errors_of(text).find("nested too deep") != std::string::npos);
  CHECK_FALSE(parse_dialogue(std::string(2 << 20, 'x'), "t").has_value());
}
