// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/lock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "crypto/digest.hpp"

namespace mailstead::lock {
namespace {

void add_names(std::string& text, std::string_view heading, std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const auto& name : names) text += fmt::format("{} {}\n", heading, name);
}

void add_ids(std::string& text, std::string_view heading, std::vector<FixedId> ids) {
  std::sort(ids.begin(), ids.end(), [](const FixedId& a, const FixedId& b) { return a.name < b.name; });
  for (const auto& id : ids) text += fmt::format("{} {} {}\n", heading, id.name, id.id);
}

}  // namespace

std::string request_digest(const Request& request) {
  std::string text = fmt::format("mailstead request 1\nsuite {}\narchitecture {}\nhost {}\n", request.suite,
                                 request.architecture, request.host_architecture);
  add_names(text, "system", request.system);
  add_names(text, "initrd", request.initrd);
  add_names(text, "tool", request.tools);
  add_names(text, "boot", request.boot);
  add_ids(text, "user", request.users);
  add_ids(text, "group", request.groups);
  return crypto::sha256_hex(text);
}

Request request_of(const Lock& lock) {
  return {lock.suite,
          lock.architecture,
          lock.host_architecture,
          lock.requested_system,
          lock.requested_initrd,
          lock.requested_tools,
          lock.requested_boot,
          lock.users,
          lock.groups};
}

std::string time_text(std::int64_t seconds) {
  // By the calendar's own functions: strftime(3) would ask the locale.
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace mailstead::lock
