// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "rootfs/file_tree.hpp"
#include "vm/machine.hpp"

namespace mailstead::verify {

/// What a Linux of the host's distribution reads in an image's slot A.
struct FileSystems {
  rootfs::FileTree system;  ///< root file system, with /usr mounted in it
  rootfs::FileTree boot;    ///< names and contents are what counts: FAT has no owners
  rootfs::FileTree esp;     ///< likewise
};

struct ReadRequest {
  std::filesystem::path image;
  std::filesystem::path scratch;  ///< an existing folder with room for all files; the trees refer to it
  std::filesystem::path cache;    ///< where libguestfs keeps its appliance
  vm::Accelerator accelerator = vm::Accelerator::tcg;
  std::filesystem::path program = "/proc/self/exe";  ///< what has the verb kReaderVerb
  std::chrono::seconds start_patience{60};           ///< how long its start may be silent under KVM
};

/// Reads every file of the image by libguestfs (guestfs(3)): an independent reader, as nothing of ours and
/// none of the programs that wrote the image are in it. It works in a process of its own, `mailstead
/// read-with-libguestfs`, which is ended with all it has started when it is silent for minutes or the user
/// asks to stop. A start that is silent under KVM, which where KVM works takes seconds, is tried once more by
/// emulation.
///
/// Errors: ErrorKind::tool, libguestfs does not work here; ErrorKind::integrity, the file systems cannot be
/// mounted or read; ErrorKind::interrupted.
Result<FileSystems> read_file_systems(const ReadRequest& request, Reporter& reporter);

/// What that process does: mounts slot A's file systems read-only and writes all files to `tar`. Its words on
/// stdout are progress, on stderr libguestfs's own.
Status read_with_libguestfs(const std::filesystem::path& image, const std::filesystem::path& tar,
                            const std::filesystem::path& cache, vm::Accelerator accelerator);

/// The name of the verb that is for this only.
inline constexpr const char* kReaderVerb = "read-with-libguestfs";

/// What it says on a line of its own when its machine runs.
inline constexpr const char* kReaderStarted = "started";

/// Removes from a root file system the folders that boot partitions are mounted on when it is read: what they
/// are cannot be seen then.
void hide_mount_points(rootfs::FileTree& system);

/// Takes apart the tree that was read.
FileSystems split(const rootfs::FileTree& all);

}  // namespace mailstead::verify
