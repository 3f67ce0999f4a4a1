// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "base/result.hpp"

namespace mailstead::vm {

/// Who has which IPv4 address in a network of QEMU's own.
struct UserAddresses {
  std::string network;     ///< "203.0.113.0/24"
  std::string gateway;     ///< QEMU itself, from where forwarded connections come
  std::string nameserver;  ///< QEMU's; needs an address, also where the guest reaches nothing outside
  std::string guest;       ///< where forwarded connections go
};

/// The network around a guest that has an address of its own, as "203.0.113.10/24", and this gateway. It may
/// be larger than the guest believes. Errors: ErrorKind::usage, QEMU has no network that holds both; not
/// addresses.
Result<UserAddresses> user_addresses(const std::string& guest, const std::string& gateway);

}  // namespace mailstead::vm
