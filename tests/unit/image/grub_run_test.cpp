// SPDX-License-Identifier: GPL-3.0-or-later
// grub.cfg in GRUB itself: its emulator (package grub-emu), which works on the file of a disk.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/files.hpp"
#include "image/boot_state.hpp"
#include "image/grub.hpp"
#include "image/image.hpp"
#include "image/partitions.hpp"
#include "support/catch.hpp"
#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::image;

namespace {

/// A disk whose slots say their names and stop.
class Machine {
 public:
  Machine() {
    test::output_of(
        {"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--lock=no", disk_.path().string()},
        sfdisk_script(partitions(), "mail.example.org"));
    const auto esp = make_fat("esp.img", layout().esp_size - kDiskRecordRoom);
    test::output_of({"mmd", "-i", esp, "::grub"});
    add(esp, "grub/grub.cfg", grub_config());
    REQUIRE(aim_next_file(esp, layout().esp_size - kBootStateFromEnd));
    add(esp, kGrubEnvironmentFile, boot_state_block({}));
    disk_.write_at(at(kEspNumber).start, read_file(esp).value());
    for (const std::size_t slot : {0u, 1u}) {
      const auto boot = make_fat("boot.img", layout().boot_size);
      add(boot, slot_config_file(slot), fmt::format("echo started {}\nexit\n", slot == 0 ? "a" : "b"));
      boots_[slot] = read_file(boot).value();
      fill(slot, true);
    }
    REQUIRE(std::filesystem::create_directory(folder_.path() / "grub"));
    REQUIRE(write_file(folder_.path() / "grub/grub.cfg",
                       "set root=hd0,gpt1\nconfigfile (hd0,gpt1)/grub/grub.cfg\n"));
    REQUIRE(write_file(folder_.path() / "map", fmt::format("(hd0) {}\n", disk_.path().string())));
  }

  void fill(std::size_t slot, bool filled) {
    disk_.write_at(at(kSlots[slot].boot).start, filled ? boots_[slot] : std::string(1'000'000, '\0'));
  }
  void put(std::uint64_t offset, std::string_view bytes) { disk_.write_at(place() + offset, bytes); }
  void set(std::string_view block) { put(0, block); }
  std::string block() const { return read(place(), kBootStateSize); }
  std::string read(std::uint64_t offset, std::size_t size) const {
    std::ifstream file(disk_.path(), std::ios::binary);
    std::string bytes(size, '\0');
    file.seekg(static_cast<std::streamoff>(offset));
    REQUIRE(file.read(bytes.data(), static_cast<std::streamsize>(size)));
    return bytes;
  }
  const test::DiskFile& disk() const { return disk_; }
  std::uint64_t place() const { return boot_state_place(at(kEspNumber)); }

  /// The slots that are started, one after the other: "a", "b", or "ba" where the first cannot be.
  std::string start() {
    const std::string said =
        test::output_of({"timeout", "60", "sh", "-c",
                         fmt::format("grub-emu -m '{0}/map' -d '{0}/grub' -r host </dev/null 2>&1",
                                     folder_.path().string())});
    std::string started;
    for (auto found = said.find("started "); found != std::string::npos;
         found = said.find("started ", found + 1))
      started += said[found + 8];
    INFO(said);
    CHECK(!started.empty());
    return started.substr(0, 1);
  }

 private:
  static Layout layout() { return {37 * kMebibyte, 36 * kMebibyte, kMebibyte, kMebibyte}; }
  static const std::vector<Partition>& partitions() {
    static const auto all = place_partitions(layout(), "mail.example.org").value();
    return all;
  }
  static const Partition& at(PartitionNumber number) { return partition_of(partitions(), number); }
  std::string make_fat(const std::string& name, std::uint64_t size) {
    const std::string file = (folder_.path() / name).string();
    test::output_of({"rm", "-f", file});
    test::output_of({"truncate", "-s", std::to_string(size), file});
    test::output_of({"mkfs.fat", "-F", "32", "-s", "1", file});
    return file;
  }
  static void add(const std::string& fat, const std::string& path, const std::string& text) {
    test::output_of({"mcopy", "-i", fat, "-", "::" + path}, text);
  }

  TemporaryDirectory folder_ = TemporaryDirectory::create().value();
  test::DiskFile disk_{disk_size(partitions())};
  std::string boots_[2];
};

}  // namespace

TEST_CASE("GRUB's parser accepts grub.cfg") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  REQUIRE(write_file(folder.path() / "grub.cfg", grub_config()));
  test::output_of({"grub-script-check", (folder.path() / "grub.cfg").string()});
}

TEST_CASE("GRUB starts the slot of every state, and counts a trial down on the disk before") {
  Machine machine;
  for (const char slot : {'a', 'b'}) {
    for (const std::optional<char> trial : {std::optional<char>(), std::optional('a'), std::optional('b')}) {
      for (int tries = 0; tries <= kMostTries; ++tries) {
        const BootState state{slot, trial, tries};
        machine.set(boot_state_block(state));
        INFO(describe(state) << ", " << tries << " left");
        CHECK(machine.start() == std::string(1, state.next()));
        CHECK(machine.block() == boot_state_block(counted_down(state)));
      }
    }
  }
}

TEST_CASE(
    "GRUB takes bytes that are no state for slot A, and the other slot for one that cannot be started") {
  Machine machine;
  for (const std::string& block :
       {std::string(kBootStateSize, '\0'), std::string(kBootStateSize, '#'),
        "slot=b\n" + std::string(1017, '#'), std::string(kBootStateSize, '\xff')}) {
    machine.set(block);
    CHECK(machine.start() == "a");
    CHECK(machine.block() == block);
  }
  for (const auto& [at, byte] : {std::pair{30, "c"}, {36, "c"}, {43, "9"}, {43, "x"}, {3, "x"}}) {
    machine.set(boot_state_block({'a', 'b', 3}));
    machine.put(static_cast<std::uint64_t>(at), byte);
    INFO(at << byte);
    CHECK(machine.start() == (at == 30 ? "b" : "a"));  // the trial is as good as it was
  }
  machine.set(boot_state_block({'a', 'b', 3}));
  machine.fill(1, false);
  CHECK(machine.start() == "a");
  CHECK(machine.block() == boot_state_block({'a', 'b', 2}));
  machine.fill(1, true);
  machine.fill(0, false);
  machine.set(boot_state_block({}));
  CHECK(machine.start() == "b");
}

TEST_CASE("A trial that GRUB cannot count is not begun") {
  Machine machine;
  machine.set(boot_state_block({'a', 'b', 3}));
  // The file's two clusters become the same one: GRUB refuses to write such a file.
  const std::uint64_t esp = kMebibyte;
  const std::string boot = machine.read(esp, 512);
  const auto number = [&](std::size_t at, unsigned size) {
    std::uint64_t value = 0;
    for (unsigned i = size; i > 0; --i) value = value << 8 | static_cast<unsigned char>(boot[at + i - 1]);
    return value;
  };
  const std::uint64_t reserved = number(14, 2);
  const std::uint64_t table = number(36, 4);
  const std::uint64_t cluster = (machine.place() - esp) / 512 - reserved - 2 * table + 2;
  std::string itself(4, '\0');
  for (unsigned i = 0; i < 4; ++i) itself[i] = static_cast<char>(cluster >> (8 * i) & 0xff);
  for (const std::uint64_t copy : {std::uint64_t{0}, table})
    machine.disk().write_at(esp + (reserved + copy) * 512 + 4 * cluster, itself);
  CHECK(machine.start() == "a");
  CHECK(machine.block() == boot_state_block({'a', 'b', 3}));
}
