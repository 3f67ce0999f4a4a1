// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string_view>

namespace mailstead::lock {

/// Whether `name` can be a package name: Debian Policy 5.6.1, and no longer than 120 characters. A final '-'
/// or '+' that APT would take as an order to remove or install does not slip through as long as the name is
/// also looked up in the index.
bool is_package_name(std::string_view name);

/// Whether `text` can be the version of a package, [epoch:]upstream[-revision]: Debian Policy 5.6.12, with
/// the digit in front that it recommends, and no longer than 200 characters.
bool is_version(std::string_view text);

/// Whether `name` can be an architecture, a suite or a profile ("amd64", "trixie", "cloud-amd64").
bool is_plain_name(std::string_view name);

/// Whether `name` is one of the two kinds of archives that packages come from.
bool is_archive(std::string_view name);

/// Whether `path` can be that of a package below a mirror: relative, in pool/, without "." and "..". It
/// becomes part of an address, so nothing that could lead elsewhere is let through.
bool is_pool_path(std::string_view path);

/// Whether `seconds` since the epoch can be the time of an archive's state: after Debian began, and not after
/// the year 9999, behind which RFC 3339 has no time.
bool is_archive_time(std::int64_t seconds);

}  // namespace mailstead::lock
