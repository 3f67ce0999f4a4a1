// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/files.hpp"
#include "base/printable.hpp"
#include "base/run.hpp"
#include "inspect/diff_trees.hpp"

namespace mailstead::inspect {
namespace {

constexpr std::uint64_t kMostShown = 1u << 20;

/// The text of a file, empty if there is none; nothing for what is not to be shown.
Result<std::optional<std::string>> shown_text(const rootfs::FileTree& tree, const std::string& path) {
  const rootfs::Inode* inode = tree.find(path);
  if (inode == nullptr || inode->type != rootfs::FileType::regular) return std::optional<std::string>("");
  if (!is_public(tree, path) || inode->content.size() > kMostShown) return std::optional<std::string>();
  TRY(std::string text, inode->content.read());
  if (!is_text(text)) return std::optional<std::string>();
  return std::optional<std::string>(std::move(text));
}

std::string label(const rootfs::FileTree& tree, const char* side, const std::string& path) {
  return tree.find(path) == nullptr ? "/dev/null" : fmt::format("{}/{}", side, printable(path));
}

std::string printable_lines(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    result += printable(text.substr(0, end), true) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

}  // namespace

Result<std::string> unified_diff(const rootfs::FileTree& before, const rootfs::FileTree& after,
                                 const std::string& path) {
  TRY(const auto old, shown_text(before, path));
  TRY(const auto now, shown_text(after, path));
  if (!old || !now) return std::string();
  TRY(const TemporaryDirectory folder, TemporaryDirectory::create());
  CHECK_OK(write_file(folder.path() / "before", *old, 0600));
  CHECK_OK(write_file(folder.path() / "after", *now, 0600));
  Command command;
  command.argv = {"diff",
                  "--unified",
                  "--text",
                  "--label",
                  label(before, "a", path),
                  "--label",
                  label(after, "b", path),
                  "before",
                  "after"};
  command.cwd = folder.path();
  command.timeout = std::chrono::seconds(60);
  TRY(const CommandOutput output, run_any_status(command));
  if (output.exit_status > 1)
    return fail(ErrorKind::tool, fmt::format("diff cannot compare the two versions of {}", printable(path)));
  return printable_lines(output.out);
}

}  // namespace mailstead::inspect
