// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "overlay/overlay.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::overlay {

/// `services:` of a manifest; merge_services holds them against those of others.
std::vector<Service> read_services(const yaml::Value& value, yaml::Problems& problems);

}  // namespace mailstead::overlay
