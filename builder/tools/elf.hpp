// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mailstead::tools {

/// What has to be known of a program to start it.
struct ElfProgram {
  std::string
      loader;  ///< its dynamic loader below "/" ("usr/lib64/ld-linux-x86-64.so.2"); empty: statically linked
  std::string triplet;  ///< the folder of its libraries below usr/lib ("x86_64-linux-gnu")
};

/// Reads the headers of an ELF program (System V ABI, 64-bit little-endian; x86-64 or AArch64). `data` is the
/// file, or at least its first page. Errors (ErrorKind::tool): not ELF, such as a shell script; another
/// machine; truncated.
Result<ElfProgram> read_elf_program(std::string_view data);

/// SHA-256 of what the kernel loads of a program (its PT_LOAD segments, elf(5)), in hexadecimal: all that it
/// runs, and nothing of the symbols and lines for a debugger, which are most of a file that is not stripped.
/// Errors: not a 64-bit little-endian ELF file, truncated (ErrorKind::tool), unreadable (ErrorKind::io).
Result<std::string> loaded_sha256_hex(const std::filesystem::path& program);

}  // namespace mailstead::tools
