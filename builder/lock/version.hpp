// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace mailstead::lock {

/// Compares two Debian versions: negative, 0 or positive as `a` is older than, as old as or newer than `b`.
/// Source: Debian Policy 5.6.12.
int compare_versions(std::string_view a, std::string_view b);

}  // namespace mailstead::lock
