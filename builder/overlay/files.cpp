// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "overlay/overlay.hpp"
#include "overlay/places.hpp"

namespace mailstead::overlay {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemplateSuffix = ".tmpl";

}  // namespace

bool is_public(std::string_view path) {
  return path == "usr" || path.starts_with("usr/");
}

Result<std::vector<OverlayFile>> list_files(const Overlay& overlay) {
  std::vector<OverlayFile> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(overlay.folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const fs::file_status status = entry->symlink_status(error);
    if (error) break;
    if (fs::is_directory(status)) continue;
    OverlayFile file;
    file.source = entry->path();
    file.path = entry->path().lexically_relative(overlay.folder).generic_string();
    if (file.path == kManifest || file.path == kReviews) continue;
    if (!fs::is_symlink(status) && !fs::is_regular_file(status))
      return fail(ErrorKind::usage, fmt::format("{} is neither a file nor a symlink", file.source.string()));
    if (fs::is_regular_file(status) && file.path.ends_with(kTemplateSuffix)) {
      file.is_template = true;
      file.path.resize(file.path.size() - kTemplateSuffix.size());
    }
    files.push_back(std::move(file));
  }
  if (error)
    return fail(ErrorKind::io, fmt::format("cannot read {}: {}", overlay.folder.string(), error.message()));
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

}  // namespace mailstead::overlay
