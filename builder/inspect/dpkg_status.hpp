// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mailstead::inspect {

/// What dpkg's database says of an installed package, beyond its name.
struct DpkgEntry {
  std::string version;
  std::string source;           ///< name of its source package
  std::string source_version;   ///< which binary rebuilds do not raise
  std::uint64_t installed = 0;  ///< bytes, as its maintainer estimates them
};

/// Reads dpkg's `status` file (deb-control(5), a stanza a package); keys are "name:architecture". The text is
/// hostile. Errors (ErrorKind::integrity): those of rootfs::parse_control; a package twice.
Result<std::map<std::string, DpkgEntry>> read_dpkg_status(std::string_view text);

}  // namespace mailstead::inspect
