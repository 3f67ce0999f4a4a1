// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lock/mirrors.hpp"
#include "lock/transport.hpp"

namespace mailstead::lock {

/// Which suite's security archive is asked, for which architecture.
struct SecuritySuite {
  std::string suite;  ///< "trixie": of trixie-security
  std::string architecture;
};

/// What is known of a security archive.
struct SecurityState {
  std::int64_t asked = 0;                     ///< when it was asked last, seconds since the epoch; 0: never
  std::int64_t date = 0;                      ///< of its index; 0: nothing is known
  std::map<std::string, std::string> newest;  ///< the newest version of each package by its name
};

/// A package that the security archive has in a newer version.
struct SecurityUpdate {
  std::string name;
  std::string version;  ///< that is there
  std::string fixed;    ///< that the security archive has
};

struct SecurityOptions {
  std::int64_t now = 0;  ///< seconds since the epoch
  std::filesystem::path keyring = kArchiveKeyring;
  Transport transport{};
  std::chrono::seconds time_limit{60};  ///< for one mirror
};

/// What an earlier call of ask_security_archive has left in `cache`. What cannot be read is nothing.
SecurityState load_security_state(const SecuritySuite& suite, const std::filesystem::path& cache);

/// Fetches and verifies the index of the security archive from the first of `mirrors` that gives it, and
/// keeps what it says for load_security_state; without success too, so that who asks but once a day does not
/// wait for a dead network each time. Errors: as Apt::update has them; ErrorKind::io.
Result<SecurityState> ask_security_archive(const SecuritySuite& suite, const std::vector<Address>& mirrors,
                                           const std::filesystem::path& cache,
                                           const SecurityOptions& options);

/// A package as a lock or an image has it.
struct VersionedPackage {
  std::string name;
  std::string version;
};

/// Those of `packages` that are older than what is known to be in the security archive, in their order.
std::vector<SecurityUpdate> find_security_updates(const std::vector<VersionedPackage>& packages,
                                                  const SecurityState& state);

}  // namespace mailstead::lock
