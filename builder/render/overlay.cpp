// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <optional>
#include <system_error>

#include "render/overlay_files.hpp"
#include "render/render.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::render {
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
    if (const auto owner = reader.take("owner")) attributes.owner = owner->as_string(problems).value_or("");
    if (const auto group = reader.take("group")) attributes.group = group->as_string(problems).value_or("");
    reader.finish();
    if (!path) continue;
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

Result<Overlay> load_overlay(const fs::path& data, const std::string& name) {
  Overlay overlay;
  overlay.name = name;
  overlay.folder = data / "rootfs-overlays" / name;
  std::error_code error;
  if (!fs::is_directory(overlay.folder, error))
    return fail(ErrorKind::usage, fmt::format("there is no overlay '{}'", name),
                fmt::format("name a folder of {}", (data / "rootfs-overlays").string()));
  TRY(const yaml::Document document, yaml::Document::load(overlay.folder / "manifest.yaml"));
  yaml::Problems problems;
  yaml::MapReader map(document.root(), problems);
  if (const auto value = map.require("description"))
    overlay.description = value->as_string(problems).value_or("");
  if (const auto value = map.take("when")) overlay.when = value->as_string(problems).value_or("");
  if (const auto value = map.take("files")) read_attributes(*value, overlay, problems);
  if (const auto value = map.take("links")) read_links(*value, overlay, problems);
  if (const auto value = map.take("enable")) overlay.enable = value->as_strings(problems);
  if (const auto value = map.take("mask")) overlay.mask = value->as_strings(problems);
  if (const auto value = map.take("remove")) overlay.remove = value->as_strings(problems);
  map.finish();
  CHECK_OK(std::move(problems).finish());
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

}  // namespace mailstead::render
