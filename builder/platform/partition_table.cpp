// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/partition_table.hpp"

namespace mailstead::platform {
namespace {

// The types are those of the UEFI specification, of GRUB, and of the Discoverable Partitions Specification.
// No partition of a slot has the generic Linux type: systemd-repart takes a partition of the type that it is
// to make for its own, and would then adopt a slot as the data partition.
constexpr const char* kEspType = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
constexpr const char* kBiosType = "21686148-6449-6E6F-744E-656564454649";
constexpr const char* kBootType = "BC13C2FF-59E6-4262-A352-B275FD6F7172";  // extended boot loader

// Bit 63, not to be mounted automatically: a slot is mounted because the kernel command line says so. Bit 60:
// read-only.
constexpr const char* kNotAutomatic = "GUID:63";
constexpr const char* kReadOnly = "GUID:60,63";

}  // namespace

std::vector<PartitionRow> partition_table(const Machine& machine) {
  const ArchitectureFacts& facts = facts_of(machine.architecture);
  std::vector<PartitionRow> rows{{kEspNumber, kEspLabel, kEspType, "", Sized::esp}};
  if (contains(machine.boot, BootMethod::grub_bios))
    rows.push_back({kBiosNumber, kBiosLabel, kBiosType, "", Sized::fixed});
  rows.insert(rows.end(), {{kBootNumberA, kBootLabels[0], kBootType, kNotAutomatic, Sized::boot},
                           {kBootNumberB, kBootLabels[1], kBootType, kNotAutomatic, Sized::boot},
                           {kUsrNumberA, kUsrLabels[0], facts.usr_type, kReadOnly, Sized::usr},
                           {kUsrNumberB, kUsrLabels[1], facts.usr_type, kReadOnly, Sized::usr},
                           {kRootNumberA, kRootLabels[0], facts.root_type, kReadOnly, Sized::root},
                           {kRootNumberB, kRootLabels[1], facts.root_type, kReadOnly, Sized::root}});
  return rows;
}

}  // namespace mailstead::platform
