// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "inspect/appliance.hpp"
#include "inspect/diff_trees.hpp"

namespace mailstead::inspect {

/// A package that two images have in different versions, or that only one of them has.
struct PackageDifference {
  std::string name;
  std::string architecture;
  std::string before;  ///< version; empty if it is new
  std::string after;   ///< version; empty if it has gone
  bool older = false;  ///< the version has gone back
};

/// Something with one value that two images have differently.
struct ValueDifference {
  std::string what;
  std::string before;  ///< empty if there was none
  std::string after;   ///< likewise
};

/// A file of the configuration with another content.
struct ConfigurationDifference {
  std::string path;
  Change change = Change::changed;
  std::string unified;  ///< empty if it is not to be shown: see unified_diff
};

struct SizeDifference {
  std::string what;
  std::uint64_t before = 0;  ///< bytes
  std::uint64_t after = 0;
};

/// How two images differ.
struct ImageDifference {
  std::vector<ValueDifference> identity;  ///< host name, base, version, …
  std::vector<PackageDifference> packages;
  std::vector<FileDifference> files;  ///< of the root file system and /usr, paths from "/" on
  std::vector<ConfigurationDifference> configuration;  ///< those of them below etc/ with other contents
  std::vector<SizeDifference> sizes;
  std::vector<ValueDifference> boot;
  std::vector<std::string> partitions;  ///< labels of those whose bytes differ
  bool empty() const;
};

/// Compares packages by name and architecture; both in the order of their lists.
std::vector<PackageDifference> diff_packages(const std::vector<InstalledPackage>& before,
                                             const std::vector<InstalledPackage>& after);

/// Compares two images; /usr is unpacked only where it differs. Errors: those of reading the images.
Result<ImageDifference> diff_images(const DiskImage& before, const DiskImage& after);

/// What `mailstead diff` prints for people: nothing if there is no difference.
std::string describe(const ImageDifference& difference);

/// The same for programs.
std::string to_json(const ImageDifference& difference);

}  // namespace mailstead::inspect
