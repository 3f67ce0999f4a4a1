// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>

#include "lock/grammar.hpp"
#include "overlay/accounts.hpp"
#include "overlay/overlay.hpp"
#include "overlay/places.hpp"
#include "overlay/read.hpp"
#include "overlay/reviews.hpp"
#include "overlay/services.hpp"

namespace mailstead::overlay {
namespace {

namespace fs = std::filesystem;

/// Paths of the manifest are relative and plain, so that an overlay cannot name anything outside of the tree.
std::optional<std::string> read_path(const yaml::Value& value, yaml::Problems& problems) {
  auto path = value.as_string(problems);
  if (!path) return path;
  const bool climbs = ("/" + *path + "/").find("/../") != std::string::npos;
  if (path->empty() || path->front() == '/' || climbs) {
    problems.add(value.error(fmt::format("'{}' is not a path below the root of the image", *path),
                             "write it without a leading slash and without '..'"));
    return std::nullopt;
  }
  return path;
}

std::optional<std::uint32_t> read_mode(const yaml::Value& value, yaml::Problems& problems) {
  const auto text = value.as_string(problems);
  if (!text) return std::nullopt;
  std::uint32_t mode = 0;
  bool valid = !text->empty() && text->size() <= 4;
  for (const char c : *text) {
    valid = valid && c >= '0' && c <= '7';
    mode = mode * 8 + static_cast<std::uint32_t>(c - '0');
  }
  if (valid) return mode;
  problems.add(value.error(fmt::format("'{}' is not a mode", *text),
                           "write one to four octal digits, such as \"0640\""));
  return std::nullopt;
}

void read_attributes(const yaml::Value& map, Overlay& overlay, yaml::Problems& problems) {
  for (const auto& [key, value] : yaml::MapReader(map, problems).take_all()) {
    Overlay::Attributes attributes;
    const auto path = read_path(key, problems);
    yaml::MapReader reader(value, problems);
    if (const auto mode = reader.take("mode")) attributes.mode = read_mode(*mode, problems);
    attributes.owner = read::text_or(reader, "owner", "root", problems);
    attributes.group = read::text_or(reader, "group", "root", problems);
    attributes.when = read::text_or(reader, "when", "", problems);
    reader.finish();
    if (!path) continue;
    if (is_public(*path) && !attributes.when.empty())
      problems.add(key.error(fmt::format("'when' of {}, which is below usr/", *path),
                             "/usr is the same for every site: leave the condition out"));
    attributes.path = *path;
    overlay.files.push_back(std::move(attributes));
  }
}

void read_links(const yaml::Value& map, Overlay& overlay, yaml::Problems& problems) {
  for (const auto& [key, value] : yaml::MapReader(map, problems).take_all()) {
    const auto path = read_path(key, problems);
    const auto target = value.as_string(problems);
    if (path && target) overlay.links[*path] = *target;
  }
}

/// "postfix.service", or {unit: mailstead-first-card.service, when: network.first_card}.
std::vector<Overlay::Unit> read_units(const yaml::Value& list, yaml::Problems& problems) {
  std::vector<Overlay::Unit> units;
  for (const yaml::Value& value : list.as_list(problems)) {
    Overlay::Unit unit;
    if (value.is_map()) {
      yaml::MapReader map(value, problems);
      unit.name = read::text(map, "unit", problems);
      unit.when = read::text(map, "when", problems);
      map.finish();
    } else {
      unit.name = value.as_string(problems).value_or("");
    }
    units.push_back(std::move(unit));
  }
  return units;
}

std::vector<std::string> read_packages(const yaml::Value& list, yaml::Problems& problems) {
  std::vector<std::string> names;
  for (const yaml::Value& value : list.as_list(problems)) {
    auto name = value.as_string(problems);
    if (!name) continue;
    if (!lock::is_package_name(*name))
      problems.add(value.error(fmt::format("'{}' is not a package name", *name)));
    else if (std::find(names.begin(), names.end(), *name) != names.end())
      problems.add(value.error(fmt::format("package '{}' is listed twice", *name)));
    else
      names.push_back(*std::move(name));
  }
  return names;
}

std::map<std::string, SandboxBound> read_sandbox(const yaml::Value& value, yaml::Problems& problems) {
  constexpr std::int64_t kMaxExposure = 100;
  std::map<std::string, SandboxBound> bounds;
  for (const auto& entry : yaml::MapReader(value, problems).take_all()) {
    yaml::MapReader map(entry.value, problems);
    SandboxBound bound;
    bound.exposure = static_cast<unsigned>(read::integer(map, "exposure", 0, kMaxExposure, problems));
    bound.why = read::text(map, "why", problems);
    map.finish();
    if (const auto unit = entry.key.as_string(problems)) bounds.emplace(*unit, std::move(bound));
  }
  return bounds;
}

void read_manifest(const yaml::Value& root, Overlay& overlay, yaml::Problems& problems) {
  yaml::MapReader map(root, problems);
  if (const auto value = map.require("description"))
    overlay.description = value->as_string(problems).value_or("");
  overlay.when = read::text_or(map, "when", "", problems);
  if (const auto value = map.take("packages")) overlay.packages = read_packages(*value, problems);
  if (const auto value = map.take("groups")) overlay.groups = read_groups(*value, problems);
  if (const auto value = map.take("users")) overlay.users = read_users(*value, problems);
  if (const auto value = map.take("services")) overlay.services = read_services(*value, problems);
  if (const auto value = map.take("sandbox")) overlay.sandbox = read_sandbox(*value, problems);
  if (const auto value = map.take("files")) read_attributes(*value, overlay, problems);
  if (const auto value = map.take("links")) read_links(*value, overlay, problems);
  if (const auto value = map.take("enable")) overlay.enable = read_units(*value, problems);
  if (const auto value = map.take("mask")) overlay.mask = read_units(*value, problems);
  if (const auto value = map.take("remove")) overlay.remove = value->as_strings(problems);
  map.finish();
}

Result<Overlay> load_overlay(const fs::path& data, const std::string& name) {
  Overlay overlay;
  overlay.name = name;
  overlay.folder = data / kFolder / name;
  std::error_code error;
  if (!fs::is_directory(overlay.folder, error))
    return fail(ErrorKind::usage, fmt::format("there is no overlay '{}'", name),
                fmt::format("name a folder of {}", (data / kFolder).string()));
  TRY(const yaml::Document document, yaml::Document::load(overlay.folder / kManifest));
  yaml::Problems problems;
  read_manifest(document.root(), overlay, problems);
  CHECK_OK(std::move(problems).finish());
  if (fs::exists(overlay.folder / kReviews, error)) {
    TRY(overlay.reviews, load_reviews(overlay.folder / kReviews));
  }
  TRY(const std::vector<OverlayFile> files, list_files(overlay));
  for (const OverlayFile& file : files)
    if (file.is_template && is_public(file.path))
      return fail(ErrorKind::usage, fmt::format("{} is a template below usr/", file.source.string()),
                  "/usr is the same for every site: read the value from a file below etc/ instead");
  return overlay;
}

}  // namespace

Result<std::vector<Overlay>> load_overlays(const fs::path& data, const std::vector<std::string>& names) {
  std::vector<Overlay> overlays;
  for (const std::string& name : names) {
    auto overlay = load_overlay(data, name);
    if (!overlay)
      return fail(std::move(overlay).error().with_note(fmt::format("while reading the overlay '{}'", name)));
    overlays.push_back(*std::move(overlay));
  }
  return overlays;
}

std::vector<std::string> overlay_names(const fs::path& data) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(data / kFolder, error), end; !error && it != end; it.increment(error))
    if (fs::exists(it->path() / kManifest)) names.push_back(it->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace mailstead::overlay
