// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "base/run.hpp"
#include "rootfs/deb.hpp"

namespace mailstead::tools {

/// The locked tool packages, unpacked below the cache, and how to run a program out of them. Programs run
/// through the dynamic loader and libraries of the same packages, so that their output does not depend on the
/// build host.
class Toolbox {
 public:
  /// A locked package; the digests of all name the folder in the cache.
  struct Package {
    std::string name;
    std::string sha256;
  };

  /// The toolbox of `packages` in `cache`, if it is there with all its files. `source_date_epoch` is what the
  /// tools see.
  static std::optional<Toolbox> find(const std::filesystem::path& cache, const std::vector<Package>& packages,
                                     std::int64_t source_date_epoch);

  /// Puts it there (atomically, safe under parallel use): `debs` are the packages, unpacked, in the same
  /// order. Errors: two packages that do not go together; a program that Mailstead starts would load a
  /// library of the build host (ErrorKind::tool); ErrorKind::io.
  static Result<Toolbox> make(const std::filesystem::path& cache, const std::vector<Package>& packages,
                              const std::vector<const rootfs::UnpackedDeb*>& debs,
                              std::int64_t source_date_epoch, Reporter& reporter);

  /// A command that runs `program` (a name as in PATH, such as "mksquashfs") with `arguments`. It is an error
  /// if no locked tool package has it.
  Result<Command> command(const std::string& program, const std::vector<std::string>& arguments) const;

  /// The folder that stands for "/" of the tool packages: data files such as usr/lib/grub/i386-pc are below
  /// it.
  const std::filesystem::path& root() const { return root_; }

 private:
  Toolbox(std::filesystem::path root, std::int64_t source_date_epoch);
  std::filesystem::path root_;
  std::int64_t source_date_epoch_;
};

}  // namespace mailstead::tools
