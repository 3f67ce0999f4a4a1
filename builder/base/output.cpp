// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/run.hpp"

namespace mailstead {
namespace {

namespace fs = std::filesystem;

/// The first name behind a symbolic link, or behind further ones, that is no link. The links are no loop.
fs::path end_of_chain(fs::path path) {
  std::error_code error;
  while (fs::is_symlink(fs::symlink_status(path, error)))
    path = path.parent_path() / fs::read_symlink(path, error);
  return path;
}

/// Where a symbolic link leads in the end.
Result<fs::path> follow(const fs::path& link) {
  std::error_code error;
  fs::path target = fs::canonical(link, error);
  if (!error) return target;
  if (error == std::errc::too_many_symbolic_link_levels)
    return fail(ErrorKind::usage, fmt::format("the symbolic link {} leads to itself", link.string()),
                "remove it, or name another file");
  const fs::path next = fs::read_symlink(link, error);
  const fs::path last = end_of_chain(link);
  const std::string by =
      last == link.parent_path() / next ? "" : fmt::format(", which leads to {}", last.string());
  return fail(
      ErrorKind::usage,
      fmt::format("{} is a symbolic link to {}{}, which does not exist", link.string(), next.string(), by),
      "remove the link, or make what it leads to available (is a disk not mounted?)");
}

Status refuse_kind(const fs::path& path, const fs::path& target) {
  std::error_code error;
  const std::string what =
      path == target ? path.string() : fmt::format("{} (by {})", target.string(), path.string());
  const fs::file_type type = fs::status(target, error).type();
  switch (type) {
    case fs::file_type::not_found:
    case fs::file_type::regular:
      return ok();
    case fs::file_type::directory:
      return fail(ErrorKind::usage, fmt::format("{} is a folder", what), "name a file in it");
    case fs::file_type::block:
      return fail(
          ErrorKind::usage, fmt::format("{} is a disk, not a file", what),
          fmt::format("write a file, then copy it onto the disk with `{}`",
                      shell_quote({"dd", "if=FILE", "of=" + target.string(), "bs=4M", "conv=fsync"})));
    default:
      return fail(ErrorKind::usage, fmt::format("{} is not a file", what), "name a file");
  }
}

}  // namespace

Result<fs::path> output_file(const fs::path& path) {
  if (path == "-")
    return fail(ErrorKind::usage, "the result cannot be written to standard output",
                "name a file (./- for a file named -)");
  std::error_code error;
  fs::path target = path;
  if (fs::is_symlink(fs::symlink_status(path, error))) {
    TRY(target, follow(path));
  }
  CHECK_OK(refuse_kind(path, target));
  const fs::path folder = fs::absolute(target, error).parent_path();
  if (!fs::is_directory(folder, error)) {
    return fail(ErrorKind::io, fmt::format("cannot write {}: its folder does not exist", path.string()),
                fmt::format("make it with `{}`", shell_quote({"mkdir", "-p", folder.string()})));
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fail(ErrorKind::io, fmt::format("cannot write into {}: {}", folder.string(), std::strerror(errno)),
                "name a file in another folder");
  return target;
}

Result<fs::path> document_file(const fs::path& path) {
  TRY(fs::path target, output_file(path));
  // A slip of the hand must not cost an image, a spec or a letter.
  char first = '{';
  std::ifstream(target, std::ios::binary) >> first;
  if (first == '{') return target;
  return fail(ErrorKind::usage,
              fmt::format("{} exists and is not a JSON document, so it is not overwritten", path.string()),
              "name another file, or remove this one");
}

}  // namespace mailstead
