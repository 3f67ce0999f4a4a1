// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace mailstead::lock {

/// What a locked package is for. One package may be for all.
struct Roles {
  bool system = false;  ///< unpacked into the appliance
  bool initrd = false;  ///< unpacked into the initrd
  bool tool = false;    ///< run on the build host to write bits; architecture of the host
  bool boot = false;    ///< has files that start the appliance, and needs nothing else for that
  friend bool operator==(const Roles&, const Roles&) = default;
};

struct Package {
  std::string name;
  std::string version;       ///< Debian version, with epoch
  std::string architecture;  ///< "amd64" or "all"
  std::string archive;       ///< "debian" or "debian-security": which kind of mirror has it
  std::string pool_path;     ///< below the mirror: "pool/main/a/acl/libacl1_2.3.2-2_amd64.deb"
  std::uint64_t size = 0;    ///< of the .deb, bytes
  std::string sha256;        ///< of the .deb, lower-case hexadecimal
  Roles roles;
};

/// A named numeric id that no update may change.
struct FixedId {
  std::string name;
  std::uint32_t id = 0;
};

struct Lock {
  std::string suite;              ///< "trixie"
  std::string architecture;       ///< of the appliance
  std::string host_architecture;  ///< of the tool packages
  std::int64_t archive_time = 0;  ///< newest Date of the Release files used, seconds since the epoch
  std::string request_digest;     ///< SHA-256 over what was asked: see request_digest()
  std::vector<FixedId> users;     ///< sorted by name
  std::vector<FixedId> groups;    ///< sorted by name
  std::vector<Package> packages;  ///< sorted by name, then architecture; each at most once
  /// The names that were asked for, sorted: a lock can say what has changed since, not only that something
  /// has.
  std::vector<std::string> requested_system;
  std::vector<std::string> requested_initrd;
  std::vector<std::string> requested_tools;
  std::vector<std::string> requested_boot;
  std::string text_sha256;  ///< of the text that it was read from; empty if it was not read from a file
};

/// What the profile asks of the archive.
struct Request {
  std::string suite;
  std::string architecture;
  std::string host_architecture;
  std::vector<std::string> system;  ///< package names
  std::vector<std::string> initrd;  ///< package names; their dependencies follow
  std::vector<std::string> tools;   ///< package names
  std::vector<std::string> boot;    ///< package names; these and nothing that they depend on
  std::vector<FixedId> users;
  std::vector<FixedId> groups;
};

/// SHA-256 (hexadecimal) over the canonical text of a request; equal requests have equal digests. The order
/// of names and repeated names do not matter.
std::string request_digest(const Request& request);

/// The request that a lock says it answers.
Request request_of(const Lock& lock);

/// A time in seconds since the epoch as people read it: "2026-11-23 12:00:00 UTC".
std::string time_text(std::int64_t seconds);

}  // namespace mailstead::lock
