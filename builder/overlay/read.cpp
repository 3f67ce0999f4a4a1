// SPDX-License-Identifier: GPL-3.0-or-later
#include "overlay/read.hpp"

#include <fmt/format.h>

namespace mailstead::overlay::read {

std::string text(yaml::MapReader& map, std::string_view key, yaml::Problems& problems) {
  const auto value = map.require(key);
  if (!value) return {};
  const auto string = value->as_string(problems);
  if (!string) return {};
  if (string->empty()) problems.add(value->error(fmt::format("'{}' is empty", key)));
  return *string;
}

std::vector<std::string> texts(yaml::MapReader& map, std::string_view key, yaml::Problems& problems) {
  const auto value = map.require(key);
  return value ? value->as_strings(problems) : std::vector<std::string>{};
}

std::int64_t integer(yaml::MapReader& map, std::string_view key, std::int64_t least, std::int64_t most,
                     yaml::Problems& problems) {
  const auto value = map.require(key);
  return value ? value->as_integer(problems, least, most).value_or(least) : least;
}

std::string text_or(yaml::MapReader& map, std::string_view key, std::string otherwise,
                    yaml::Problems& problems) {
  const auto value = map.take(key);
  return value ? value->as_string(problems).value_or(std::move(otherwise)) : otherwise;
}

}  // namespace mailstead::overlay::read
