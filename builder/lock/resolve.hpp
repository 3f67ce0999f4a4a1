// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "lock/lock.hpp"
#include "lock/mirrors.hpp"

namespace mailstead::lock {

struct ResolveOptions {
  /// Keys that may sign the archive's Release files: Debian's, whatever the sources of this machine trust.
  std::filesystem::path keyring = kArchiveKeyring;
  Transport transport{};
};

/// Asks the archive for what `request` names: Debian's solver (apt-get) chooses the versions in suite, its
/// updates and its security suite, component main, with all signatures verified. Three solves: the system
/// (Essential packages included), the initrd and the tools (host architecture), merged by role. `cache` is
/// the folder for downloads; indexes are kept below it. When a mirror cannot be reached, refuses or has an
/// index that cannot be verified, the next one is tried, with a warning. Errors: ErrorKind::network or
/// ErrorKind::integrity (one index at least could not be verified) when all have failed, with the reason of
/// each; see Apt::solve; ErrorKind::usage for a name that cannot be a package's.
Result<Lock> resolve(const Request& request, const Mirrors& mirrors, const std::filesystem::path& cache,
                     Reporter& reporter, const ResolveOptions& options = {});

}  // namespace mailstead::lock
