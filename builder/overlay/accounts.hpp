// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "overlay/overlay.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::overlay {

/// `groups:` and `users:` of a manifest; merge_accounts holds them against those of others.
std::vector<Group> read_groups(const yaml::Value& value, yaml::Problems& problems);
std::vector<User> read_users(const yaml::Value& value, yaml::Problems& problems);

}  // namespace mailstead::overlay
