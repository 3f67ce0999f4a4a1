// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lock/lock.hpp"
#include "overlay/overlay.hpp"
#include "platform/partition_table.hpp"

namespace mailstead::profile {

/// A path that one package moves out of the way of others, as dpkg-divert(1) would have done in its preinst.
struct Diversion {
  std::string to;       ///< where the files of the other packages go, relative
  std::string package;  ///< whose own file keeps the path
};

/// What an image for one kind of machine is made of: profiles/<name>.yaml, which may add to the lists of a
/// file that it includes from profiles/common/.
struct Profile {
  std::string name;
  std::vector<std::string> files;  ///< that it was read from, relative to the data folder
  std::string description;
  std::string suite;                         ///< "trixie"
  std::string architecture;                  ///< Debian's name
  platform::Machine machine;                 ///< its architecture, and what starts it
  std::vector<std::string> system_packages;  ///< beside those of its overlays: kernels
  std::vector<std::string> initrd_packages;  ///< likewise
  std::vector<std::string> tool_packages;
  /// Boot loaders: of the appliance's architecture, though nothing of them is in its system.
  std::vector<std::string> boot_packages;
  std::vector<std::string> overlays;        ///< folders of rootfs-overlays/, in the order they are laid
  std::vector<std::string> exclude;         ///< globs of paths left out of the appliance ("usr/share/doc/*")
  std::vector<std::string> keep;            ///< globs of paths that stay although excluded (licence files)
  std::vector<std::string> initrd_exclude;  ///< globs of paths left out of the initrd
  std::vector<std::string>
      initrd_modules;  ///< kernel modules (names without .ko) in the initrd; dependencies follow
  std::vector<std::string> kernel_arguments;  ///< what follows the root hashes on the kernel's command line
  std::uint64_t esp_size = 0;                 ///< bytes, as are the following
  std::uint64_t boot_size = 0;
  std::uint64_t usr_size = 0;
  std::uint64_t root_size = 0;
  std::string squashfs_compressor;                  ///< mksquashfs -comp
  int squashfs_level = 0;                           ///< -Xcompression-level
  std::map<std::string, std::string> alternatives;  ///< "usr/bin/awk" -> "/usr/bin/mawk"
  std::map<std::string, Diversion> diversions;      ///< by relative path
};

Result<Profile> load_profile(const std::filesystem::path& data, const std::string& name);

/// All of a profile that can change the bytes of an appliance, in words: the same words mean the same bytes.
std::string describe(const Profile& profile);

/// The request for the archive that a profile makes with its overlays and those of its initrd, on a build
/// host of `host_architecture`.
lock::Request make_request(const Profile& profile, const std::vector<overlay::Overlay>& overlays,
                           const std::vector<overlay::Overlay>& initrd_overlays,
                           const overlay::Accounts& accounts, const std::string& host_architecture);

}  // namespace mailstead::profile
