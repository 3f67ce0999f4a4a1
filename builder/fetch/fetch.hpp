// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "fetch/store.hpp"
#include "lock/lock.hpp"
#include "lock/mirrors.hpp"
#include "lock/transport.hpp"

namespace mailstead::fetch {

struct FetchOptions {
  bool offline = false;      ///< take everything from the store
  unsigned connections = 6;  ///< downloads at a time, 1 to 64
  /// Tries for one package that bring nothing more of it before giving up, over all mirrors.
  unsigned attempts = 5;
  std::chrono::milliseconds backoff{500};  ///< pause after the first failure, doubled after each further one
  std::chrono::seconds connect_timeout{20};  ///< for a connection to come up
  std::chrono::seconds stall_timeout{30};  ///< a download that brings less than 1 kB/s for so long has failed
  /// Where versions are that no mirror has any more (lock::find_snapshot_archive); empty: ask nobody.
  Address snapshot;
  lock::Transport transport{};  ///< how to reach servers
  /// The command that moves the lock on to what the archive has now, for messages.
  std::string update_command = "mailstead lock SPEC --update";
};

struct FetchedPackage {
  lock::Package package;
  std::filesystem::path path;  ///< in the store; size and digest have been verified in this call
};

/// The packages that have one of the roles set in `roles`, in the order of the lock: taken from the store
/// (every one hashed again) or downloaded into it. Interrupted downloads are continued, failed ones tried
/// again and from the next mirror. What every mirror has answered it does not have with the bytes of the lock
/// comes from the snapshot archive, with a warning that the lock is old. Mirrors are not needed when offline.
/// Proxies, logins and certificates are those of FetchOptions::transport, else http_proxy, https_proxy and
/// no_proxy (curl(1)).
///
/// Errors: ErrorKind::integrity for a package whose bytes are not those of the lock wherever it was found
/// (both digests are named); ErrorKind::network for mirrors that cannot be reached or refuse everything, each
/// with its reason, and for packages, all by name, that are neither there nor in the snapshot archive;
/// ErrorKind::usage for packages that are missing offline; ErrorKind::io for the disk. What has arrived stays
/// in the store.
Result<std::vector<FetchedPackage>> fetch_packages(const lock::Lock& lock, const lock::Roles& roles,
                                                   Store& store, const lock::Mirrors& mirrors,
                                                   const FetchOptions& options, Reporter& reporter);

}  // namespace mailstead::fetch
