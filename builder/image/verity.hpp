// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace mailstead::image {

/// What makes the hash tree of a file system in a disk differ from that of another with the same content.
/// Neither is secret.
struct VerityIds {
  std::string salt;  ///< 64 hexadecimal digits
  std::string uuid;  ///< lower case with dashes
};

/// The ids of the image called `name` ("usr.img", "root.img") that is made with `scope`, the base's identity.
VerityIds verity_ids(const std::string& scope, const std::string& name);

inline constexpr const char* kUsrImageName = "usr.img";
inline constexpr const char* kRootImageName = "root.img";

}  // namespace mailstead::image
