// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/dpkg_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/printable.hpp"
#include "rootfs/control.hpp"

namespace mailstead::inspect {
namespace {

DpkgEntry entry_of(const rootfs::ControlData& control) {
  DpkgEntry entry;
  entry.version = control.version;
  // "Source: glibc (2.41-12)": without a version it has the package's, without a field the package's name,
  // too.
  const std::string_view source = control.field("Source");
  const auto parenthesis = source.find(" (");
  entry.source = source.empty() ? control.name : std::string(source.substr(0, parenthesis));
  entry.source_version = control.version;
  if (parenthesis != std::string_view::npos && source.ends_with(')'))
    entry.source_version = source.substr(parenthesis + 2, source.size() - parenthesis - 3);
  const std::string_view kibibytes = control.field("Installed-Size");
  std::uint32_t count = 0;
  std::from_chars(kibibytes.data(), kibibytes.data() + kibibytes.size(), count);
  entry.installed = std::uint64_t{count} * 1024;
  return entry;
}

}  // namespace

Result<std::map<std::string, DpkgEntry>> read_dpkg_status(std::string_view text) {
  std::map<std::string, DpkgEntry> entries;
  while (!text.empty()) {
    const auto end = std::min(text.find("\n\n"), text.size());
    const std::string_view stanza = text.substr(0, std::min(end + 1, text.size()));
    text.remove_prefix(std::min(end + 2, text.size()));
    if (stanza.find_first_not_of('\n') == std::string_view::npos) continue;
    TRY(const rootfs::ControlData control, rootfs::parse_control(stanza));
    const std::string key = control.name + ":" + control.architecture;
    if (!entries.emplace(key, entry_of(control)).second)
      return fail(ErrorKind::integrity, fmt::format("dpkg's database has {} twice", printable(key)));
  }
  return entries;
}

}  // namespace mailstead::inspect
