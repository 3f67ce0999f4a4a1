// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "platform/architecture.hpp"
#include "platform/boot_method.hpp"

namespace mailstead::platform {

/// A machine as far as its disk knows it.
struct Machine {
  Architecture architecture = Architecture::amd64;
  std::vector<BootMethod> boot{BootMethod::grub_bios, BootMethod::grub_efi};
  friend bool operator==(const Machine&, const Machine&) = default;
};

/// Numbers of the partitions, the same on every appliance (GRUB finds them by number). One that a machine
/// does not need leaves a gap.
enum PartitionNumber : int {
  kEspNumber = 1,
  kBiosNumber = 2,
  kBootNumberA = 3,
  kBootNumberB = 4,
  kUsrNumberA = 5,
  kUsrNumberB = 6,
  kRootNumberA = 7,
  kRootNumberB = 8,
};

/// Whose size a profile says.
enum class Sized { esp, boot, usr, root, fixed };

/// A line of the partition table of a machine.
struct PartitionRow {
  PartitionNumber number;
  const char* label;
  const char* type;        ///< GUID, upper case
  const char* attributes;  ///< in sfdisk's words; may be empty
  Sized size;              ///< fixed: 1 MiB
};

/// Names of the partitions, the same on every appliance.
inline constexpr const char* kEspLabel = "mailstead-esp";
inline constexpr const char* kBiosLabel = "mailstead-bios";
inline constexpr const char* kBootLabels[2] = {"mailstead-boot-a", "mailstead-boot-b"};
inline constexpr const char* kUsrLabels[2] = {"mailstead-usr-a", "mailstead-usr-b"};
inline constexpr const char* kRootLabels[2] = {"mailstead-root-a", "mailstead-root-b"};
inline constexpr const char* kDataLabel = "mailstead-data";

/// The partitions in the order of their places.
std::vector<PartitionRow> partition_table(const Machine& machine);

}  // namespace mailstead::platform
