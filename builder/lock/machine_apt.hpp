// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"
#include "base/run.hpp"
#include "lock/transport.hpp"

namespace mailstead::lock {

/// One address and suite of a source of binary packages that `apt-get update` on this machine reads:
/// sources.list(5).
struct AptSource {
  Address uri;
  std::string suite;
  std::vector<std::string> components;
  std::string file;       ///< that names it
  std::string signed_by;  ///< keyring files, fingerprints or an inline key, as written; or empty
};

/// This machine's own APT, asked by apt-get and apt-config what it is configured to do, so that what it reads
/// is read here. It neither fetches nor changes anything then, and runs no hook.
class MachineApt {
 public:
  /// `config`: what APT_CONFIG names for apt instead of this program's own APT_CONFIG.
  explicit MachineApt(std::filesystem::path config = {}) : config_(std::move(config)) {}

  /// The sources in the order of apt, without those that are off or for other architectures than the
  /// machine's. None, if apt-get is not installed. Errors (ErrorKind::usage): apt cannot read its sources.
  Result<std::vector<AptSource>> sources() const;

  /// How apt reaches servers. Without apt-config: as the environment says. Errors (ErrorKind::usage): apt
  /// cannot read its configuration.
  Result<Transport> transport() const;

 private:
  Result<std::string> ask(std::vector<std::string> argv, std::string_view what) const;
  std::filesystem::path config_;
};

}  // namespace mailstead::lock
