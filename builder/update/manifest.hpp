// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "disk/disk.hpp"
#include "image/records.hpp"
#include "update/update.hpp"

namespace mailstead::update {

/// A run of bytes of a slot's partition. A machine has it already in one of its slots, or it is sent.
struct ManifestPart {
  std::string partition;  ///< "usr", "root" or "boot"
  std::uint64_t offset = 0;
  disk::Extent from;   ///< in the image
  std::string sha256;  ///< empty: zeros
};

/// What a machine is told of an image before it takes any of it.
struct Manifest {
  std::string hostname;
  std::string profile;
  std::string root_hash;
  std::int64_t serial = 0;          ///< when it was made, seconds since the epoch: none is taken twice
  std::int64_t not_after = 0;       ///< the same; later, it is not taken
  std::int64_t archive_time = 0;    ///< of the packages
  std::int64_t state_format = 0;    ///< of /var, the latest that the image understands
  bool allow_older = false;         ///< packages older than those that run
  std::vector<ManifestPart> parts;  ///< all bytes of the partitions, in order
  std::vector<std::pair<std::string, std::uint64_t>> sizes;  ///< bytes of each partition
};

/// Divides the slot of an image into parts such that a kernel, an initrd or /usr which a machine has already
/// is a part of its own. Errors: those of Disk::stream.
Result<Manifest> make_manifest(const disk::Disk& image, const ProvedImage& proved,
                               const image::BaseRecord& base, std::int64_t now, Reporter& reporter);

/// Its text; rootfs-overlays/updates/usr/lib/mailstead/remote reads it.
std::string to_text(const Manifest& manifest);

/// The signature of a text, by ssh-keygen(1), -Y sign, in the namespace "mailstead-update". Errors
/// (ErrorKind::usage): no such key, or it cannot be used.
Result<std::string> sign(const std::string& text, const std::filesystem::path& private_key);

}  // namespace mailstead::update
