// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "yaml/yaml.hpp"

/// Reading required keys of manifests and profiles; what is missing or wrong goes to `problems` and reads as
/// empty.
namespace mailstead::overlay::read {

std::string text(yaml::MapReader& map, std::string_view key, yaml::Problems& problems);
std::vector<std::string> texts(yaml::MapReader& map, std::string_view key, yaml::Problems& problems);
std::int64_t integer(yaml::MapReader& map, std::string_view key, std::int64_t least, std::int64_t most,
                     yaml::Problems& problems);

/// Like text, for keys that may be left out.
std::string text_or(yaml::MapReader& map, std::string_view key, std::string otherwise,
                    yaml::Problems& problems);

}  // namespace mailstead::overlay::read
