// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "image/partitions.hpp"

namespace mailstead::image {

/// Which slot a disk starts. A slot that has been written is first started on trial: it becomes the one that
/// is always started once it has proved itself, and is given up when its tries are used up. The functions
/// below are the same for every kind of boot loader; how a state is kept is GRUB's.
struct BootState {
  char slot = 'a';            ///< the proven one, 'a' or 'b'
  std::optional<char> trial;  ///< the one that is, or last was, on trial
  int tries = 0;              ///< starts that the trial has left, 0 to kMostTries; 0 once it is lost
  friend bool operator==(const BootState&, const BootState&) = default;

  /// Whether the next start is one of a trial.
  bool on_trial() const { return trial && tries > 0; }
  /// The slot that is started next.
  char next() const { return on_trial() ? *trial : slot; }
};

inline constexpr int kMostTries = 3;

char slot_letter(char slot);  ///< 'A' or 'B', as people read it
char other_slot(char slot);

/// The changes, each written by one write of a single sector. The proven slot changes only where a slot has
/// proved itself or a person goes back.
BootState armed(BootState state, char trial);  ///< `trial` has been written and gets all tries
BootState without_trial(BootState state);      ///< before a slot is written, or to give a trial up
BootState counted_down(BootState state);       ///< by the boot loader, before it starts the trial
BootState proved(BootState state, char slot);  ///< `slot`, which is running, has proved itself
/// By a person: ends a trial; if none is on, the other slot is tried, as it may be the one that failed
/// before.
BootState gone_back(BootState state);

/// "slot A", "slot A; slot B is on trial with 3 of 3 tries left", "slot A; the trial of slot B is lost".
std::string describe(const BootState& state);

/// How GRUB keeps it: an environment block of 1024 bytes (GRUB manual, "Environment block") whose values have
/// one letter or digit each, so that each change is one of single bytes in one sector, and in their order: a
/// write that ends anywhere between them leaves the old choice or the new one.
inline constexpr std::size_t kBootStateSize = 1024;
std::string boot_state_block(const BootState& state);
/// Nothing, if the bytes are not exactly those of a state. GRUB then starts slot A, and after it B.
std::optional<BootState> read_boot_state(std::string_view block);

/// The block is the file kGrubEnvironmentFile of the EFI system partition: GRUB writes only what is a file.
/// It lies at the same distance from the partition's end on every disk, so that nobody else needs the file
/// system.
inline constexpr std::uint64_t kBootStateFromEnd = kDiskRecordRoom + 64 * 1024;

/// Where it lies, `esp` being the EFI system partition: bytes from the start of the disk.
std::uint64_t boot_state_place(const Partition& esp);

}  // namespace mailstead::image
