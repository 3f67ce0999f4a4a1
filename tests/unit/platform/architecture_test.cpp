// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/architecture.hpp"

#include <set>
#include <string>

#include "platform/boot_method.hpp"
#include "platform/partition_table.hpp"
#include "support/catch.hpp"

using namespace mailstead::platform;

TEST_CASE("An architecture is found by each of its names, and no two share one") {
  std::set<std::string> names;
  for (const Architecture architecture : kArchitectures) {
    const ArchitectureFacts& facts = facts_of(architecture);
    INFO(facts.debian);
    CHECK(architecture_called(facts.debian) == architecture);
    CHECK(architecture_of_elf(facts.elf_machine) == architecture);
    CHECK(architecture_of_usr(facts.usr_type) == architecture);
    for (const char* name : {facts.debian, facts.triplet, facts.loader, facts.efi_suffix, facts.grub_efi,
                             facts.usr_type, facts.root_type, facts.qemu_program})
      CHECK(names.insert(name).second);
  }
  CHECK_FALSE(architecture_called("riscv64"));
  CHECK_FALSE(architecture_called(""));
  CHECK_FALSE(architecture_of_elf(243));
  CHECK_FALSE(architecture_of_usr("0FC63DAF-8483-4772-8E79-3D69D8477DE4"));
  CHECK(architecture_names() == "amd64, arm64");
}

TEST_CASE("A boot method is found by its name, and knows the machines that it starts") {
  for (const BootMethod method : kBootMethods) {
    CHECK(boot_method_called(name_of(method)) == method);
    CHECK(boot_methods_called({name_of(method)}) == std::vector{method});
    CHECK(*words_of(method) != '\0');
  }
  CHECK_FALSE(boot_method_called("lilo"));
  CHECK_FALSE(boot_methods_called({"grub-efi", "lilo"}));
  CHECK(fits(BootMethod::grub_bios, Architecture::amd64));
  CHECK_FALSE(fits(BootMethod::grub_bios, Architecture::arm64));
  CHECK(fits(BootMethod::grub_efi, Architecture::arm64));
}

TEST_CASE("Partitions keep their numbers on every machine; one that a machine does not need leaves a gap") {
  const auto numbers = [](const Machine& machine) {
    std::vector<int> numbers;
    for (const PartitionRow& row : partition_table(machine)) numbers.push_back(row.number);
    return numbers;
  };
  CHECK(numbers({}) == std::vector{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(numbers({Architecture::arm64, {BootMethod::grub_efi}}) == std::vector{1, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("Partitions of slots have the types of their architecture") {
  for (const Architecture architecture : kArchitectures) {
    const auto rows = partition_table({architecture, {BootMethod::grub_efi}});
    REQUIRE(rows.size() == 7);
    CHECK(rows[3].type == std::string(facts_of(architecture).usr_type));
    CHECK(rows[6].type == std::string(facts_of(architecture).root_type));
  }
}
