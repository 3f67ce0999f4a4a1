// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mailstead::mailtest {

/// Changes to the disk that guests of the qcow2 file `overlay` see, while they are off.

/// Copies `size` bytes from `source_offset` of the raw file `source` to `offset` of the disk, as dd(1) does.
Status copy_in(const std::filesystem::path& source, std::uint64_t source_offset, std::uint64_t size,
               const std::filesystem::path& overlay, std::uint64_t offset);

/// Writes a disk image over the disk: `whole`, or all but its first and last MiB, where the partition table
/// and its copy are. docs/change.md describes the same from a rescue system.
Status write_image(const std::filesystem::path& image, bool whole, const std::filesystem::path& overlay);

/// Writes bytes to a place of the disk. Copies go to `folder` and are removed again.
Status write_bytes(const std::filesystem::path& overlay, std::uint64_t place, std::string_view bytes,
                   const std::filesystem::path& folder);

/// Has debugfs(8) execute a request on the file system of the data partition, which may change it; returns
/// its output.
/// Errors: ErrorKind::tool if debugfs refuses; no data partition.
Result<std::string> debugfs(const std::filesystem::path& overlay, const std::string& request,
                            const std::filesystem::path& folder);

/// Copies the whole disk to the raw file `to`.
Status copy_disk(const std::filesystem::path& overlay, const std::filesystem::path& to);

/// Errors (ErrorKind::integrity): the disk and the raw file `copy` differ.
Status check_same(const std::filesystem::path& overlay, const std::filesystem::path& copy);

}  // namespace mailstead::mailtest
