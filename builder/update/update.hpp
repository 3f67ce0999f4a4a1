// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "disk/disk.hpp"
#include "image/boot_state.hpp"
#include "image/partitions.hpp"
#include "update/writer.hpp"
#include "verify/gpt.hpp"

namespace mailstead::update {

/// An image whose every byte follows from its root hash.
struct ProvedImage {
  verify::Contents contents;
  std::vector<image::Partition> partitions;
  std::string hostname;
  std::string root_hash;
};

/// Follows the root hash as `verify` does without a spec. Errors (ErrorKind::integrity), with what was found:
/// it does not; it is not just an image, but the disk of a machine.
Result<ProvedImage> prove_image(const disk::Disk& image, Reporter& reporter);

enum class Kind {
  none,   ///< the slot that the disk starts has this image already
  slot,   ///< the other slot is written
  whole,  ///< the disk has nothing that starts yet
};

/// What is to be done to a disk. The data are never touched.
struct Plan {
  Kind kind = Kind::none;
  image::BootState before;     ///< of a disk that has one
  bool state_damaged = false;  ///< what is in its place is none
  char stays =
      'a';  ///< with `slot`: the one that is not written, the proven one unless only the other is sound
  bool stays_sound = true;  ///< by its root hash
  bool has_table = false;   ///< with `whole`: the table of this site is there and stays
  bool has_data = false;    ///< with `whole`: there are data of this site, which the next start adopts
  /// With `slot`: the one that is written.
  char slot() const { return image::other_slot(stays); }
};

/// Looks at the disk and decides. Errors (ErrorKind::usage), with what was found and the remedy: it is not of
/// this site and not empty, or too small.
Result<Plan> plan_update(const disk::Disk& image, const ProvedImage& proved, const disk::Disk& target,
                         Reporter& reporter);

struct Written {
  std::uint64_t compared = 0;  ///< bytes
  std::uint64_t written = 0;   ///< bytes in which the disk differed, in whole blocks of 4096
};

/// Carries it out. Whenever it ends, the disk starts what it started before, or, if there was nothing, a
/// later update starts over; only when all has been written and read back is the new slot put on trial.
/// Errors: those of `writer`; the disk does not keep what is written to it (ErrorKind::io);
/// ErrorKind::interrupted.
Result<Written> carry_out(const Plan& plan, const disk::Disk& image, const ProvedImage& proved,
                          const disk::Disk& target, Writer& writer, Reporter& reporter);

/// What going back does to a disk.
struct WayBack {
  std::string hostname;
  std::string root_hash;  ///< of the slot that is started from now on
  image::BootState before;
  image::BootState after;
  image::Partition esp;
};

/// Errors (ErrorKind::usage): it is no disk of an appliance, or the slot to go back to is empty or not sound.
Result<WayBack> plan_way_back(const disk::Disk& target, Reporter& reporter);

/// Writes a state in the place of another one: the sector in which all values lie, and more only if what is
/// there is no state. It is durable when this returns.
Status write_state(const disk::Disk& target, const image::Partition& esp, const image::BootState& state,
                   Writer& writer);

}  // namespace mailstead::update
