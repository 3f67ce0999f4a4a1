// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "platform/architecture.hpp"
#include "rootfs/file_tree.hpp"
#include "tools/toolbox.hpp"

namespace mailstead::tools {

/// What the generators share.
struct Generator {
  const Toolbox& toolbox;
  std::filesystem::path scratch;  ///< existing folder for temporary files
  std::int64_t clock = 0;         ///< time of the files made, seconds since the epoch
  platform::Architecture architecture = platform::Architecture::amd64;  ///< of the tree
};

/// Files to be laid into a tree, by path.
using Files = std::vector<std::pair<std::string, rootfs::Inode>>;

/// Each function below makes, with a locked tool, files that a package's maintainer script or trigger would
/// have made on a running system. They read nothing but `tree`, and make nothing if it lacks what they start
/// from. They may run side by side. Errors: ErrorKind::tool from the tool, ErrorKind::io from temporary
/// files.

/// etc/ld.so.cache (ldconfig(8)): the libraries of the default folders and of those named in etc/ld.so.conf
/// and etc/ld.so.conf.d/*.conf. Nothing on an architecture whose libraries ldconfig of another one does not
/// know: what is made must not depend on the build host.
Result<Files> make_library_cache(const Generator& generator, const rootfs::FileTree& tree);

/// modules.dep, modules.alias and so on (depmod(8)) for every kernel below usr/lib/modules.
Result<Files> make_module_index(const Generator& generator, const rootfs::FileTree& tree);

/// usr/lib/udev/hwdb.bin (hwdb(7), by udevadm), 11 MB with all of usr/lib/udev/hwdb.d: a machine without
/// keyboards and mice can do without, by leaving those sources out.
Result<Files> make_hardware_database(const Generator& generator, const rootfs::FileTree& tree);

/// var/lib/systemd/catalog/database: the explanations of `journalctl -x`.
Result<Files> make_message_catalog(const Generator& generator, const rootfs::FileTree& tree);

/// etc/ca-certificates.conf with every certificate below usr/share/ca-certificates, and what
/// update-ca-certificates(8) makes of it: a link in etc/ssl/certs for each, OpenSSL's hash links, and
/// ca-certificates.crt with all of them.
Result<Files> make_certificate_bundle(const Generator& generator, const rootfs::FileTree& tree);

/// Puts what was made where it belongs.
Status lay(Files files, rootfs::FileTree& tree);

/// All of the above, made and laid, each for what `tree` has of it.
Status generate_system_files(const Toolbox& toolbox, platform::Architecture architecture,
                             const std::filesystem::path& scratch, std::int64_t clock, rootfs::FileTree& tree,
                             Reporter& reporter);

/// The name that update-ca-certificates(8) gives to a certificate file: "Foo Root (CA).crt" is
/// "Foo_Root_=CA=.pem".
std::string certificate_link_name(std::string_view file_name);

}  // namespace mailstead::tools
