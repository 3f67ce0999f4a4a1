// SPDX-License-Identifier: GPL-3.0-or-later
#include "overlay/services.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "overlay/read.hpp"
#include "text/ascii.hpp"

namespace mailstead::overlay {
namespace {

constexpr std::int64_t kMaxPort = 65535;
constexpr std::int64_t kMaxPriority = 65535;  // RFC 2782

void read_srv(const yaml::Value& value, Service& service, yaml::Problems& problems) {
  yaml::MapReader map(value, problems, "srv: {name: _imaps, denies: true}");
  service.srv = read::text(map, "name", problems);
  if (const auto priority = map.take("priority"))
    service.srv_priority = static_cast<unsigned>(priority->as_integer(problems, 0, kMaxPriority).value_or(0));
  if (const auto denies = map.take("denies")) service.srv_denies = denies->as_bool(problems).value_or(false);
  map.finish();
  if (!service.srv.empty() && !service.srv.starts_with('_'))
    problems.add(value.error(fmt::format("'{}' is not a service name of SRV records", service.srv),
                             "RFC 2782 requires an underscore in front"));
}

Service read_service(const yaml::MapReader::Entry& entry, yaml::Problems& problems) {
  yaml::MapReader map(entry.value, problems, "imaps: {port: 993}");
  Service service;
  service.name = entry.key.as_string(problems).value_or("");
  service.title = read::text_or(map, "title", service.name, problems);
  service.when = read::text_or(map, "when", "", problems);
  if (const auto port = map.take("port"))
    service.port = static_cast<std::uint16_t>(port->as_integer(problems, 1, kMaxPort).value_or(1));
  if (const auto passwords = map.take("passwords"))
    service.passwords = passwords->as_bool(problems).value_or(false);
  if (const auto srv = map.take("srv")) read_srv(*srv, service, problems);
  map.finish();
  if (!service.port && (!service.srv_denies || !service.when.empty() || service.passwords))
    problems.add(entry.key.error(fmt::format("the service '{}' has no port", service.name),
                                 "give it one; or, if it is never offered, 'srv' with denies: true alone"));
  return service;
}

}  // namespace

std::vector<Service> read_services(const yaml::Value& value, yaml::Problems& problems) {
  std::vector<Service> services;
  for (const auto& entry : yaml::MapReader(value, problems).take_all())
    services.push_back(read_service(entry, problems));
  return services;
}

Result<std::vector<Service>> merge_services(const std::vector<Overlay>& overlays) {
  std::vector<Service> services;
  std::set<std::string> names;
  std::map<std::uint16_t, std::string> ports;
  std::map<std::string, std::string> records;
  for (const Overlay& overlay : overlays) {
    for (const Service& service : overlay.services) {
      if (!names.insert(service.name).second)
        return fail(ErrorKind::usage, fmt::format("two overlays have a service '{}'", service.name),
                    fmt::format("rename the one in {}", (overlay.folder / "manifest.yaml").string()));
      if (service.port) {
        const auto [it, fresh] = ports.emplace(*service.port, service.name);
        if (!fresh)
          return fail(ErrorKind::usage,
                      fmt::format("the services '{}' and '{}' have the same port {}", it->second,
                                  service.name, *service.port),
                      fmt::format("change the one in {}", (overlay.folder / "manifest.yaml").string()));
      }
      if (!service.srv.empty()) {
        const auto [it, fresh] = records.emplace(text::lower(service.srv), service.name);
        if (!fresh)
          return fail(ErrorKind::usage,
                      fmt::format("the services '{}' and '{}' have the same SRV record '{}'", it->second,
                                  service.name, service.srv),
                      fmt::format("change the one in {}", (overlay.folder / "manifest.yaml").string()));
      }
      services.push_back(service);
    }
  }
  return services;
}

}  // namespace mailstead::overlay
