// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/full_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace mailstead::tools {
namespace {

bool tells_of_full_disk(std::string_view text) {
  return text.find("No space left on device") != std::string_view::npos ||
         text.find("Disk quota exceeded") != std::string_view::npos;
}

}  // namespace

Error explain_full_disk(Error error, const std::filesystem::path& out) {
  if (!tells_of_full_disk(error.message) &&
      std::none_of(error.notes.begin(), error.notes.end(), tells_of_full_disk)) {
    return error;
  }
  const auto folder = out.has_parent_path() ? out.parent_path() : std::filesystem::path(".");
  error.notes.insert(error.notes.begin(), std::move(error.message));
  error.kind = ErrorKind::io;
  error.message =
      fmt::format("cannot write {}: no space is left in {}", out.filename().string(), folder.string());
  error.hint = "free some space there, or let MAILSTEAD_CACHE name a folder on another disk";
  return error;
}

}  // namespace mailstead::tools
