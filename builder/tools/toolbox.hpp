// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "base/run.hpp"

namespace mailstead::tools {

/// The locked tool packages, unpacked below the cache, and how to run a program out of them. Programs run
/// through the dynamic loader and libraries of the same packages, so that their output does not depend on the
/// build host.
class Toolbox {
 public:
  /// A package file on disk. `sha256` names the unpacked folder in the cache.
  struct Package {
    std::string name;
    std::string sha256;
    std::filesystem::path deb;
  };

  /// Unpacks what is not in `cache` yet, or no longer with all its files (atomically, safe under parallel
  /// use). `source_date_epoch` is what the tools see. Errors: those of unpacking a package; ErrorKind::io.
  static Result<Toolbox> open(const std::filesystem::path& cache, const std::vector<Package>& packages,
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
