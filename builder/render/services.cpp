// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/services.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "render/context.hpp"

namespace mailstead::render {

Result<bool> holds(const std::string& overlay, const std::string& when, const Value& context) {
  if (when.empty()) return true;
  const Value* value = context.at(when);
  if (value != nullptr && value->flag() != nullptr) return *value->flag();
  return fail(ErrorKind::usage,
              fmt::format("'when: {}' of the overlay '{}' is not a boolean of the context", when, overlay));
}

Result<std::vector<overlay::SiteService>> site_services(const spec::Site& site,
                                                        const std::vector<overlay::Overlay>& overlays) {
  CHECK_OK(overlay::merge_services(overlays));
  const Value context = make_site_context(site);
  std::vector<overlay::SiteService> services;
  for (const overlay::Overlay& each : overlays) {
    TRY(const bool on, holds(each.name, each.when, context));
    for (const overlay::Service& service : each.services) {
      TRY(const bool wanted, holds(each.name, service.when, context));
      services.push_back({service, on && wanted && service.port.has_value()});
      if (service.when.empty()) services.back().service.when = each.when;
    }
  }
  return services;
}

Value::Map services_values(const std::vector<overlay::SiteService>& services) {
  Value::List offered;
  std::vector<std::string> always;
  std::vector<std::string> chosen;
  std::vector<std::string> with_passwords;
  Value::Map numbers;
  for (const auto& [service, is_offered] : services) {
    if (!service.port) continue;
    const std::string port = std::to_string(*service.port);
    numbers.emplace(service.name, port);
    if (service.passwords) with_passwords.push_back(port);
    if (!is_offered) continue;
    (service.when.empty() ? always : chosen).push_back(port);
    offered.emplace_back(Value::Map{{"name", service.name}, {"title", service.title}, {"port", port}});
  }
  always.insert(always.end(), chosen.begin(), chosen.end());
  return {{"services", std::move(offered)},
          {"open_ports", to_list(always)},
          {"password_ports", to_list(with_passwords)},
          {"port", std::move(numbers)}};
}

}  // namespace mailstead::render
