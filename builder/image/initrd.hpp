// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "rootfs/file_tree.hpp"
#include "tools/toolbox.hpp"

namespace mailstead::image {

/// Makes `tree`, composed of the initrd's packages, an initrd that systemd starts in: `init`,
/// etc/initrd-release, the mount points, and from `system` (whose module index is there already) the kernel
/// modules named in `modules` with all that they need, with an index of their own.
/// \param release the kernel's ("6.12.117+deb13-cloud-amd64"), a folder below usr/lib/modules of `system`
/// \param modules names such as "dm-verity"; '-' and '_' are the same. What is built into the kernel is left
/// out.
/// \param scratch existing folder for temporary files
/// \param clock time of the files made, seconds since the epoch
/// Errors: ErrorKind::usage for a module that this kernel does not have (all of them named); those of the
/// tools.
Status finish_initrd(rootfs::FileTree& tree, const rootfs::FileTree& system, const std::string& release,
                     const std::vector<std::string>& modules, const tools::Toolbox& toolbox,
                     const std::filesystem::path& scratch, std::int64_t clock);

/// What depmod(8) found out about a kernel's modules.
class ModuleIndex {
 public:
  /// \param dependencies text of modules.dep
  /// \param soft_dependencies text of modules.softdep
  /// \param builtin text of modules.builtin
  /// Errors: ErrorKind::integrity for a modules.dep that is none.
  static Result<ModuleIndex> parse(std::string_view dependencies, std::string_view soft_dependencies,
                                   std::string_view builtin);

  /// Paths (relative to the kernel's module folder, sorted) of the modules named and of all that they need,
  /// soft dependencies included where the kernel has them. Errors: ErrorKind::usage naming those that do not
  /// exist.
  Result<std::vector<std::string>> closure(const std::vector<std::string>& names) const;

 private:
  std::map<std::string, std::string> paths_;               // name to path
  std::map<std::string, std::vector<std::string>> needs_;  // path to paths
  std::map<std::string, std::vector<std::string>> soft_;   // name to names
  std::set<std::string> builtin_;                          // names
};

/// The name of a module from its file's path: "kernel/drivers/md/dm-verity.ko.xz" is "dm_verity".
std::string module_name(std::string_view path);

}  // namespace mailstead::image
