// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/services.hpp"

#include <algorithm>
#include <set>

namespace mailstead::inspect {
namespace {

constexpr std::string_view kUnits = "etc/systemd/system/";

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const auto start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos) return words;
    line.remove_prefix(start);
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::string comment_of(std::string_view line) {
  constexpr std::string_view kWord = "comment \"";
  const auto start = line.find(kWord);
  if (start == std::string_view::npos) return {};
  line.remove_prefix(start + kWord.size());
  return std::string(line.substr(0, line.find('"')));
}

}  // namespace

std::vector<std::string> enabled_units(const rootfs::FileTree& root) {
  std::set<std::string> units;
  std::set<std::string> masked;
  for (const auto& [path, inode] : root) {
    if (inode->type != rootfs::FileType::symlink || !path.starts_with(kUnits)) continue;
    const std::string_view rest = std::string_view(path).substr(kUnits.size());
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) {
      if (inode->target == "/dev/null") masked.emplace(rest);
      continue;
    }
    const std::string_view folder = rest.substr(0, slash);
    if (folder.ends_with(".wants") || folder.ends_with(".requires")) units.emplace(rest.substr(slash + 1));
  }
  std::vector<std::string> enabled;
  std::set_difference(units.begin(), units.end(), masked.begin(), masked.end(), std::back_inserter(enabled));
  return enabled;
}

std::vector<OpenPort> open_ports(std::string_view rules) {
  std::vector<OpenPort> ports;
  while (!rules.empty()) {
    const auto end = std::min(rules.find('\n'), rules.size());
    const std::string_view line = rules.substr(0, end);
    rules.remove_prefix(std::min(end + 1, rules.size()));
    const auto words = words_of(line);
    const bool is_comment = !words.empty() && words.front().starts_with('#');
    if (is_comment || std::find(words.begin(), words.end(), "accept") == words.end()) continue;
    for (std::size_t i = 0; i + 2 < words.size(); ++i) {
      if ((words[i] != "tcp" && words[i] != "udp") || words[i + 1] != "dport") continue;
      std::string comment = comment_of(line);
      // Only for answers, as of a DHCP server.
      if (comment.empty() && i >= 2 && words[i - 2] == "sport")
        comment = "from port " + std::string(words[i - 1]);
      ports.push_back({std::string(words[i]), std::string(words[i + 2]), std::move(comment)});
    }
  }
  return ports;
}

}  // namespace mailstead::inspect
