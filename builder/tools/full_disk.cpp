// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/full_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/files.hpp"

namespace mailstead::tools {
namespace {

bool tells_of_full_disk(std::string_view text) {
  return text.find("No space left on device") != std::string_view::npos ||
         text.find("Disk quota exceeded") != std::string_view::npos;
}

bool is_full(const std::filesystem::path& folder) {
  constexpr std::uint64_t kTooLittle = 1u << 20;
  return free_space(folder).value_or(kTooLittle) < kTooLittle;
}

}  // namespace

Error explain_full_disk(Error error, const std::filesystem::path& out) {
  const auto folder = out.has_parent_path() ? out.parent_path() : std::filesystem::path(".");
  if (error.kind != ErrorKind::io && error.kind != ErrorKind::tool) return error;
  if (!tells_of_full_disk(error.message) &&
      std::none_of(error.notes.begin(), error.notes.end(), tells_of_full_disk) && !is_full(folder)) {
    return error;
  }
  error.notes.insert(error.notes.begin(), std::move(error.message));
  error.kind = ErrorKind::io;
  error.message =
      fmt::format("cannot write {}: no space is left in {}", out.filename().string(), folder.string());
  error.hint = kCacheFull;
  return error;
}

}  // namespace mailstead::tools
