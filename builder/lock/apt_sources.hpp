// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mailstead::lock {

/// One address and suite of an APT source of binary packages: sources.list(5).
struct AptSource {
  std::string uri;
  std::string suite;
  std::vector<std::string> components;
  std::string signed_by;  ///< path of a keyring, an inline key, or empty
};

/// The one-line format. Lines that are not understood are left out: these files are not ours to judge.
std::vector<AptSource> parse_one_line_sources(std::string_view text);

/// The deb822 format; stanzas with "Enabled: no" are left out.
std::vector<AptSource> parse_deb822_sources(std::string_view text);

/// The sources of sources.list and sources.list.d below `folder`, files in order of name. What cannot be read
/// is left out.
std::vector<AptSource> read_apt_sources(const std::filesystem::path& folder);

}  // namespace mailstead::lock
