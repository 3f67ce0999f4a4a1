// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/units.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <vector>

namespace mailstead::render {
namespace {

constexpr const char* kAdminUnits = "etc/systemd/system/";
constexpr const char* kVendorUnits = "usr/lib/systemd/system/";

struct Install {
  std::vector<std::string> wanted_by, required_by, upheld_by, aliases, also;
  std::string default_instance;
  bool empty() const {
    return wanted_by.empty() && required_by.empty() && upheld_by.empty() && aliases.empty() && also.empty();
  }
};

/// "a@b.service": prefix "a", instance "b", suffix ".service"; "a.service" has no instance.
struct UnitName {
  std::string prefix, instance, suffix;
  bool templated = false;
};

UnitName split_name(const std::string& unit) {
  const std::size_t dot = unit.rfind('.');
  UnitName name;
  name.suffix = dot == std::string::npos ? "" : unit.substr(dot);
  name.prefix = unit.substr(0, dot);
  if (const std::size_t at = name.prefix.find('@'); at != std::string::npos) {
    name.templated = true;
    name.instance = name.prefix.substr(at + 1);
    name.prefix.resize(at);
  }
  return name;
}

std::string_view stripped(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Adds what the [Install] section of `text` says; an empty assignment resets a list (systemd.syntax(7)).
void read_install(const std::string& text, Install& install) {
  std::istringstream lines(text);
  std::string line;
  bool inside = false;
  while (std::getline(lines, line)) {
    while (!line.empty() && line.back() == '\\') {
      line.back() = ' ';
      std::string more;
      if (!std::getline(lines, more)) break;
      line += more;
    }
    const std::string_view content = stripped(line);
    if (content.empty() || content[0] == '#' || content[0] == ';') continue;
    if (content[0] == '[') {
      inside = content == "[Install]";
      continue;
    }
    const std::size_t equals = content.find('=');
    if (!inside || equals == std::string_view::npos) continue;
    const std::string_view key = stripped(content.substr(0, equals));
    const std::string value(stripped(content.substr(equals + 1)));
    if (key == "DefaultInstance") install.default_instance = value;
    std::vector<std::string>* list = key == "WantedBy"     ? &install.wanted_by
                                     : key == "RequiredBy" ? &install.required_by
                                     : key == "UpheldBy"   ? &install.upheld_by
                                     : key == "Alias"      ? &install.aliases
                                     : key == "Also"       ? &install.also
                                                           : nullptr;
    if (list == nullptr) continue;
    if (value.empty()) list->clear();
    std::istringstream words(value);
    for (std::string word; words >> word;) list->push_back(word);
  }
}

Result<std::string> expanded(const std::string& text, const std::string& unit, const UnitName& name) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const char specifier = ++i < text.size() ? text[i] : '\0';
    if (specifier == 'i')
      out += name.instance;
    else if (specifier == 'p')
      out += name.prefix;
    else if (specifier == 'n')
      out += unit;
    else if (specifier == 'N')
      out += unit.substr(0, unit.size() - name.suffix.size());
    else if (specifier == '%')
      out += '%';
    else
      return fail(ErrorKind::usage, fmt::format("cannot enable {}: unknown specifier in '{}'", unit, text));
  }
  return out;
}

class Enabler {
 public:
  Enabler(const rootfs::FileTree& units, std::int64_t clock, const std::string& origin,
          rootfs::FileTree& tree)
      : units_(units), clock_(clock), origin_(origin), tree_(tree) {}

  Status enable(const std::string& unit) {
    if (!done_.insert(unit).second) return ok();  // Also= may name each other
    UnitName name = split_name(unit);
    const std::string file = name.templated ? name.prefix + "@" + name.suffix : unit;
    TRY(const std::optional<std::string> path, find(unit, file));
    if (!path)
      return fail(ErrorKind::usage, fmt::format("cannot enable {}: there is no such unit", unit),
                  "name a unit of a package in the profile or of an overlay");
    Install install;
    CHECK_OK(read(*path, install));
    CHECK_OK(read_drop_ins(unit, install));
    if (file != unit) CHECK_OK(read_drop_ins(file, install));
    if (install.empty())
      return fail(ErrorKind::usage, fmt::format("cannot enable {}: it has no [Install] section", unit),
                  "another unit starts it, so leave it out of 'enable'");
    std::string full = unit;
    if (name.templated && name.instance.empty()) {
      if (install.default_instance.empty())
        return fail(ErrorKind::usage,
                    fmt::format("cannot enable {}: it is a template without an instance", unit));
      name.instance = install.default_instance;
      full = name.prefix + "@" + name.instance + name.suffix;
    }
    const std::string target = "/" + *path;
    CHECK_OK(link_below(install.wanted_by, ".wants", full, name, target));
    CHECK_OK(link_below(install.required_by, ".requires", full, name, target));
    CHECK_OK(link_below(install.upheld_by, ".upholds", full, name, target));
    for (const std::string& alias : install.aliases) {
      TRY(const std::string link, expanded(alias, full, name));
      CHECK_OK(tree_.put(kAdminUnits + link, rootfs::symlink_inode(target, clock_, origin_)));
    }
    for (const std::string& also : install.also) {
      TRY(const std::string other, expanded(also, full, name));
      CHECK_OK(enable(other));
    }
    return ok();
  }

 private:
  Status link_below(const std::vector<std::string>& parents, const char* kind, const std::string& unit,
                    const UnitName& name, const std::string& target) {
    const std::string link = fmt::format("{}/{}", kind, unit);
    for (const std::string& parent : parents) {
      TRY(const std::string directory, expanded(parent, unit, name));
      CHECK_OK(tree_.put(fmt::format("{}{}{}", kAdminUnits, directory, link),
                         rootfs::symlink_inode(target, clock_, origin_)));
    }
    return ok();
  }

  /// Where the unit file is; a file of a full instance ("a@b.service") goes before that of its template.
  Result<std::optional<std::string>> find(const std::string& unit, const std::string& file) const {
    for (const std::string& candidate : {unit, file})
      for (const char* directory : {kAdminUnits, kVendorUnits}) {
        const rootfs::Inode* inode = lookup(directory + candidate);
        if (inode == nullptr) continue;
        if (inode->type == rootfs::FileType::symlink)
          return fail(ErrorKind::usage,
                      fmt::format("cannot enable {}: /{}{} is a link to {}", unit, directory, candidate,
                                  inode->target),
                      "enable the unit that the link points to");
        return std::optional<std::string>(directory + candidate);
      }
    return std::optional<std::string>();
  }

  const rootfs::Inode* lookup(const std::string& path) const {
    if (const rootfs::Inode* inode = tree_.find(path)) return inode;
    return units_.find(path);
  }

  Status read(const std::string& path, Install& install) const {
    TRY(const std::string text, lookup(path)->content.read());
    read_install(text, install);
    return ok();
  }

  Status read_drop_ins(const std::string& unit, Install& install) const {
    std::set<std::string> files;
    for (const char* directory : {kVendorUnits, kAdminUnits})
      for (const rootfs::FileTree* tree : {&units_, static_cast<const rootfs::FileTree*>(&tree_)}) {
        const std::string folder = directory + unit + ".d";
        if (tree->find(folder) == nullptr) continue;
        const std::string prefix = folder + "/";
        for (const auto& [path, inode] : *tree)
          if (path.starts_with(prefix) && path.ends_with(".conf") && inode->type == rootfs::FileType::regular)
            files.insert(path);
      }
    for (const std::string& path : files) CHECK_OK(read(path, install));
    return ok();
  }

  const rootfs::FileTree& units_;
  std::int64_t clock_;
  const std::string& origin_;
  rootfs::FileTree& tree_;
  std::set<std::string> done_;
};

}  // namespace

Status enable_unit(const std::string& unit, const rootfs::FileTree& units, std::int64_t clock,
                   const std::string& origin, rootfs::FileTree& tree) {
  return Enabler(units, clock, origin, tree).enable(unit);
}

Status mask_unit(const std::string& unit, std::int64_t clock, const std::string& origin,
                 rootfs::FileTree& tree) {
  return tree.put(kAdminUnits + unit, rootfs::symlink_inode("/dev/null", clock, origin));
}

}  // namespace mailstead::render
