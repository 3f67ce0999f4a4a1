// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "inspect/appliance.hpp"

namespace mailstead::inspect {

/// What `mailstead inspect` prints for people, `width` columns wide where it can; with `packages`, a line for
/// each of them instead of their number. Ends in a newline.
std::string describe(const Appliance& appliance, std::size_t width, bool packages);

/// The same and more for programs. Equal images give equal bytes.
std::string to_json(const Appliance& appliance);

/// "2026-11-23T20:15:00Z" (RFC 3339) for seconds since the epoch.
std::string utc_time(std::int64_t time);

/// Where a package is used: "system", "initrd", "boot", or several of them with commas.
std::string roles_of(const image::RecordedPackage& package);

}  // namespace mailstead::inspect
