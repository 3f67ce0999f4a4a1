// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/boot_state.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "base/files.hpp"
#include "image/grub.hpp"
#include "image/image.hpp"
#include "support/catch.hpp"
#include "support/program.hpp"

using namespace mailstead;
using namespace mailstead::image;

namespace {

std::vector<BootState> all_states() {
  std::vector<BootState> states;
  for (const char slot : {'a', 'b'})
    for (const std::optional<char> trial : {std::optional<char>(), std::optional('a'), std::optional('b')})
      for (int tries = 0; tries <= kMostTries; ++tries) states.push_back({slot, trial, tries});
  return states;
}

}  // namespace

TEST_CASE("A boot state is an environment block of GRUB, and is read as it was written") {
  // The signature with its newline is what GRUB looks for; the rest is padded with '#'
  // (include/grub/lib/envblk.h).
  const std::string start = "# GRUB Environment Block\nslot=a\ntry=-\nleft=0\n";
  CHECK(boot_state_block({}) == start + std::string(1024 - start.size(), '#'));
  std::set<std::string> blocks;
  for (const BootState& state : all_states()) {
    const std::string block = boot_state_block(state);
    CHECK(block.size() == kBootStateSize);
    CHECK(read_boot_state(block) == state);
    blocks.insert(block);
  }
  CHECK(blocks.size() == 24);
}

TEST_CASE("Bytes that are not exactly those of a state are none") {
  const std::string block = boot_state_block({'b', 'a', 2});
  for (std::size_t at = 0; at < block.size(); ++at) {
    std::string changed = block;
    changed[at] ^= 0x40;
    INFO(at);
    CHECK_FALSE(read_boot_state(changed));
  }
  CHECK_FALSE(read_boot_state(""));
  CHECK_FALSE(read_boot_state(block.substr(0, 512)));
  CHECK_FALSE(read_boot_state(block + "#"));
  CHECK_FALSE(read_boot_state(std::string(kBootStateSize, '\0')));
}

TEST_CASE("A slot on trial is started three times, then the proven one; what has proved itself stays") {
  BootState state = armed({}, 'b');
  for (const int left : {3, 2, 1}) {
    CHECK(state.tries == left);
    CHECK(state.next() == 'b');
    CHECK(proved(state, 'b') == BootState{'b', {}, 0});
    CHECK(without_trial(state) == BootState{});
    state = counted_down(state);
  }
  CHECK(state == BootState{'a', 'b', 0});
  CHECK(state.next() == 'a');
  CHECK(counted_down(state) == state);
  CHECK(proved(state, 'a') == BootState{});
  CHECK(armed(state, 'b') == BootState{'a', 'b', 3});
}

TEST_CASE("Going back ends a trial, or names the other slot") {
  CHECK(gone_back({'a', 'b', 2}) == BootState{});
  CHECK(gone_back({'b', {}, 0}) == BootState{'b', 'a', 3});
  CHECK(gone_back({'a', {}, 0}) == BootState{'a', 'b', 3});
  CHECK(gone_back({'a', 'b', 0}) == BootState{'a', 'b', 3});
}

TEST_CASE("A write that ends anywhere leaves a state, and the choice of before or after") {
  std::size_t changes = 0;
  for (const BootState& before : all_states()) {
    for (const BootState& after :
         {armed(before, other_slot(before.slot)), without_trial(before), counted_down(before),
          proved(before, 'a'), proved(before, 'b'), gone_back(before)}) {
      const std::string old_block = boot_state_block(before);
      const std::string new_block = boot_state_block(after);
      // All in one sector.
      CHECK(old_block.substr(512) == new_block.substr(512));
      for (std::size_t end = 0; end <= 512; ++end) {
        const auto torn = read_boot_state(new_block.substr(0, end) + old_block.substr(end));
        REQUIRE(torn);
        // A trial that has lost its last try, or has no tries yet, is none: the proven slot of before or
        // after.
        const bool known = torn->next() == before.next() || torn->next() == after.next() ||
                           (!torn->on_trial() && (torn->slot == before.slot || torn->slot == after.slot));
        INFO(describe(before) << " -> " << describe(after) << ", torn at " << end << ": " << describe(*torn));
        CHECK(known);
        // Nothing but a trial that was on before, or that is to begin, is started without having proved
        // itself.
        if (torn->on_trial()) CHECK((before.on_trial() || after.on_trial() || before.tries > 0));
      }
      ++changes;
    }
  }
  CHECK(changes == 24 * 6);
}

TEST_CASE("States are said in words") {
  CHECK(describe({}) == "slot A");
  CHECK(describe({'b', {}, 2}) == "slot B");
  CHECK(describe({'a', 'b', 3}) == "slot A; slot B is on trial with 3 of 3 tries left");
  CHECK(describe({'b', 'a', 0}) == "slot B; the trial of slot A is lost");
}

TEST_CASE("The machine looks for the state where it is") {
  const std::string script =
      read_file(std::string(MAILSTEAD_SOURCE_DIR) + "/rootfs-overlays/proof/usr/lib/mailstead/slot").value();
  const auto has = [&](const std::string& text) {
    INFO(text);
    CHECK(script.find(text) != std::string::npos);
  };
  has(fmt::format("place=$(( sectors - {} ))", kBootStateFromEnd / kSectorSize));
  has(fmt::format("  {}) running=a other=b ;;", static_cast<int>(kRootNumberA)));
  has(fmt::format("  {}) running=b other=a ;;", static_cast<int>(kRootNumberB)));
  has(fmt::format("{}) esp=$device", static_cast<int>(kEspNumber)));
  for (const auto& [number, name] : {std::pair{kBootNumberA, "boot_a"}, std::pair{kBootNumberB, "boot_b"},
                                     std::pair{kUsrNumberA, "usr_a"}, std::pair{kUsrNumberB, "usr_b"},
                                     std::pair{kRootNumberA, "root_a"}, std::pair{kRootNumberB, "root_b"}})
    has(fmt::format("{}) {}=$device", static_cast<int>(number), name));
  // What it writes has the form that is read here.
  const std::string written = boot_state_block({'b', {}, 0});
  has("'" + std::string("# GRUB Environment Block\\nslot=%s\\ntry=%s\\nleft=%s\\n") + "'");
  CHECK(written.starts_with("# GRUB Environment Block\nslot=b\ntry=-\nleft=0\n##"));
}

TEST_CASE("The next file lies where it is wanted, whatever the size of the clusters") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const auto file = folder.path() / "esp.img";
  for (const auto& [size, sectors] :
       {std::pair{63 * kMebibyte, "1"}, {200 * kMebibyte, "4"}, {399 * kMebibyte, "8"}}) {
    test::output_of({"truncate", "-s", "0", file.string()});
    test::output_of({"truncate", "-s", std::to_string(size), file.string()});
    test::output_of({"mkfs.fat", "-F", "32", "-s", sectors, file.string()});
    test::output_of({"mmd", "-i", file.string(), "::grub"});
    test::output_of({"mcopy", "-i", file.string(), "-", "::grub/grub.cfg"}, std::string(100'000, 'x'));
    const std::uint64_t place = size + kDiskRecordRoom - kBootStateFromEnd;
    REQUIRE(aim_next_file(file, place));
    test::output_of({"mcopy", "-i", file.string(), "-", "::grub/grubenv"}, boot_state_block({}));
    CHECK(read_file(file).value().substr(place, kBootStateSize) == boot_state_block({}));
    test::output_of({"fsck.fat", "-n", file.string()});
  }
  test::output_of({"truncate", "-s", "0", file.string()});
  test::output_of({"truncate", "-s", "16M", file.string()});
  test::output_of({"mkfs.fat", "-F", "16", file.string()});
  const auto small = aim_next_file(file, kMebibyte);
  REQUIRE_FALSE(small);
  CHECK(small.error().message == "the EFI system partition has no place for the boot state");
}
