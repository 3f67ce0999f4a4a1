// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/grub.hpp"

#include <sstream>

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::image;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("grub.cfg has an entry for each slot, on its boot partition") {
  const std::string config = grub_config();
  // Entry 0 is slot A on partition 3, entry 1 is slot B on partition 4.
  const auto a = config.find(
      "menuentry 'Mailstead, slot A' --id a --unrestricted {\n"
      "  set root=\"$disk,gpt3\"\n"
      "  source ($root)/slot-a.cfg\n"
      "}\n");
  const auto b = config.find(
      "menuentry 'Mailstead, slot B' --id b --unrestricted {\n"
      "  set root=\"$disk,gpt4\"\n"
      "  source ($root)/slot-b.cfg\n"
      "}\n");
  REQUIRE(a != std::string::npos);
  REQUIRE(b != std::string::npos);
  CHECK(a < b);
  CHECK(count_of(config, "menuentry ") == 2);
}

TEST_CASE("grub.cfg is well-formed: blocks are closed, no menu is shown, nothing is loaded") {
  const std::string config = grub_config();
  int ifs = 0;
  int braces = 0;
  for (const std::string& line : lines_of(config)) {
    INFO(line);
    const auto start = line.find_first_not_of(' ');
    REQUIRE(start != std::string::npos);
    const std::string statement = line.substr(start);
    if (statement.starts_with('#')) continue;
    if (statement.starts_with("if ")) {
      CHECK(statement.find("; then") != std::string::npos);
      ++ifs;
    }
    if (statement == "fi") --ifs;
    if (statement.ends_with(" {")) ++braces;
    if (statement == "}") --braces;
    CHECK(ifs >= 0);
    CHECK(braces >= 0);
    CHECK(count_of(line, "'") % 2 == 0);
    CHECK(count_of(line, "\"") % 2 == 0);
    // Secure Boot: a signed GRUB loads no modules.
    CHECK_FALSE(statement.starts_with("insmod"));
  }
  CHECK(ifs == 0);
  CHECK(braces == 0);
  CHECK(count_of(config, "set timeout=0\n") == 1);
  CHECK(count_of(config, "set timeout_style=hidden\n") == 1);
  CHECK(config.ends_with('\n'));
}

TEST_CASE(
    "grub.cfg lets nobody edit a line: there is a superuser without a password before there is a menu") {
  const std::string config = grub_config();
  const auto set = config.find("set superusers=nobody\nexport superusers\n");
  REQUIRE(set != std::string::npos);
  CHECK(set < config.find("menuentry "));
  CHECK(count_of(config, "password") == 1);  // in a comment
  CHECK(count_of(config, " --unrestricted {") == count_of(config, "menuentry "));
}

TEST_CASE("A boot partition has a file for each slot, by which the same bytes start either") {
  const std::string root_hash(64, 'a');
  const std::string usr_hash(64, 'b');
  const auto configs =
      slot_configs("mail.example.org", {{}, 8192, usr_hash}, {{}, 4096, root_hash}, {"quiet"});
  REQUIRE(configs.size() == 2);
  CHECK(configs[0].file == "slot-a.cfg");
  CHECK(configs[1].file == "slot-b.cfg");
  for (const std::size_t slot : {0u, 1u}) {
    const std::string& text = configs[slot].text;
    CHECK(text.starts_with("linux ($root)/vmlinuz root=/dev/mapper/root "));
    CHECK(text.ends_with(" quiet\ninitrd ($root)/initrd.img\n"));
    CHECK(count_of(text, " roothash=" + root_hash + " ") == 1);
    CHECK(count_of(text, " usrhash=" + usr_hash + " ") == 1);
    // Data and hash tree of each file system lie in one partition.
    CHECK(count_of(text, partition_uuid("mail.example.org", kUsrLabels[slot])) == 2);
    CHECK(count_of(text, partition_uuid("mail.example.org", kRootLabels[slot])) == 2);
  }
}

TEST_CASE("The files of a boot partition that come from the base") {
  const auto files = boot_files(rootfs::Content("kernel"), rootfs::Content("initrd"));
  REQUIRE(files.size() == 2);
  CHECK(files[0].path == "vmlinuz");
  CHECK(files[0].content.read().value() == "kernel");
  CHECK(files[1].path == "initrd.img");
  CHECK(files[1].content.read().value() == "initrd");
}
