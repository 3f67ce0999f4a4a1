// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "overlay/overlay.hpp"
#include "render/value.hpp"
#include "spec/site.hpp"

namespace mailstead::render {

/// Whether a site meets the condition `when` of an overlay. Errors (ErrorKind::usage): it is not a boolean of
/// `context`.
Result<bool> holds(const std::string& overlay, const std::string& when, const Value& context);

/// The services of the overlays as a site has them, in their order: what the firewall, DNS, `check`, `run`
/// and the test of ports go by. Errors: those of overlay::merge_services and of holds.
Result<std::vector<overlay::SiteService>> site_services(const spec::Site& site,
                                                        const std::vector<overlay::Overlay>& overlays);

/// What templates know of them: `services`, `open_ports`, `password_ports` and `port`.
Value::Map services_values(const std::vector<overlay::SiteService>& services);

}  // namespace mailstead::render
