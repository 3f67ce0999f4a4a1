// SPDX-License-Identifier: GPL-3.0-or-later
// What the readers of this folder share of libarchive. Not for other folders.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::rootfs {

inline constexpr std::size_t kMaxPath = 4095;  ///< PATH_MAX without the final NUL

struct ArchiveDeleter {
  void operator()(archive* handle) const { ::archive_free(handle); }  // reads and writes alike
};
using ArchiveHandle = std::unique_ptr<archive, ArchiveDeleter>;

/// libarchive's words about its last error.
inline std::string archive_message(archive* handle) {
  const char* text = ::archive_error_string(handle);
  return text == nullptr ? "unknown error" : text;
}

/// Attributes of an entry but its content: type, mode, owner, time, link target, extended attributes.
/// Errors: a device, pipe, socket or sparse file; an owner beyond 32 bits.
Result<Inode> read_attributes(archive_entry* entry);

/// The path of an entry without "./" in front and '/' at the end; empty for the root directory itself.
/// Errors: absolute, "." or ".." or empty components, control characters, names above 255 bytes, paths above
/// 4095.
Result<std::string> clean_path(const char* raw);

}  // namespace mailstead::rootfs
