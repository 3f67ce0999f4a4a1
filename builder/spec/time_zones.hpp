// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mailstead::spec {

/// Whether the appliance knows the time zone: the names in Debian's package tzdata, without those of
/// tzdata-legacy
/// ("US/Pacific"). A list of our own, because the one on the machine that builds can be another or missing.
bool is_time_zone(std::string_view name);

/// All of them, sorted by bytes.
std::vector<std::string> time_zones();

}  // namespace mailstead::spec
