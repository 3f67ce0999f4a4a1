// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "fetch/store.hpp"
#include "lock/lock.hpp"
#include "lock/mirrors.hpp"

namespace mailstead::fetch {

struct FetchOptions {
  bool offline = false;      ///< take everything from the store
  unsigned connections = 6;  ///< downloads at a time, 1 to 64
  /// Tries for one package that bring nothing more of it before giving up, over all mirrors.
  unsigned attempts = 5;
  std::chrono::milliseconds backoff{500};  ///< pause after the first failure, doubled after each further one
  std::chrono::seconds connect_timeout{20};  ///< for a connection to come up
  std::chrono::seconds stall_timeout{30};  ///< a download that brings less than 1 kB/s for so long has failed
};

struct FetchedPackage {
  lock::Package package;
  std::filesystem::path path;  ///< in the store; size and digest have been verified in this call
};

/// The packages that have one of the roles set in `roles`, in the order of the lock: taken from the store
/// (every one hashed again) or downloaded into it. Interrupted downloads are continued, failed ones tried
/// again and from the next mirror. Mirrors are not needed when offline. Proxies: http_proxy, https_proxy,
/// no_proxy (curl(1)).
///
/// Errors: ErrorKind::integrity for a package whose bytes are not those of the lock (both digests are named);
/// ErrorKind::network for mirrors that cannot be reached or have dropped a version; ErrorKind::usage for
/// packages that are missing offline; ErrorKind::io for the disk.
Result<std::vector<FetchedPackage>> fetch_packages(const lock::Lock& lock, const lock::Roles& roles,
                                                   Store& store, const lock::Mirrors& mirrors,
                                                   const FetchOptions& options, Reporter& reporter);

}  // namespace mailstead::fetch
