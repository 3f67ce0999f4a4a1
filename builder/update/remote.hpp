// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "disk/disk.hpp"
#include "spec/site.hpp"
#include "update/manifest.hpp"

namespace mailstead::update {

/// A machine that is reached over SSH, with the site's key of updates.
struct Remote {
  std::string host;  ///< a name or an address
  std::uint16_t port = 22;
  std::string hostname;               ///< of the site: by this name its host key is known
  std::filesystem::path private_key;  ///< absolute
  std::filesystem::path known_hosts;  ///< absolute; beside the key
};

/// "mail.example.org", "192.0.2.5:2222", "[2001:db8::5]:22". Errors (ErrorKind::usage): it is none of these;
/// the site has no updates by SSH, or its private key is not there.
Result<Remote> make_remote(std::string_view text, const spec::Site& site);

/// Asks the machine for its host key and keeps it, if `fingerprint` ("SHA256:…") is its fingerprint. Errors:
/// ErrorKind::network, it does not answer; ErrorKind::integrity, the key is another one.
Status keep_host_key(const Remote& remote, const std::string& fingerprint);

/// How a machine is: what rootfs-overlays/updates/usr/lib/mailstead/remote says, by its names. The values are
/// a line of printable text each, of at most 1000 bytes.
using Facts = std::map<std::string, std::string>;

/// A fact, or nothing if the machine has not told it.
std::string fact(const Facts& facts, const std::string& name);
/// One that is a number, 0 or more.
std::optional<std::int64_t> number_of(const Facts& facts, const std::string& name);

/// Errors: ErrorKind::network, with what SSH said and the remedy; ErrorKind::usage, the host key is not known
/// yet; ErrorKind::integrity, it is another one than before, or what came is no status.
Result<Facts> ask_status(const Remote& remote);

/// A start that has been asked for.
struct Restart {
  char slot = 'a';         ///< that is to be started
  std::string boot;        ///< id of the start that ended with it
  std::uint64_t sent = 0;  ///< bytes of parts
  bool needed = true;      ///< false: the machine runs this image already, and goes on
};

/// Sends what the machine does not have. When this returns, all is written and the machine restarts. Errors:
/// as ask_status; ErrorKind::usage, it refuses, with its reason; ErrorKind::io, it could not write.
Result<Restart> send_update(const Remote& remote, const Manifest& manifest, const disk::Disk& image,
                            Reporter& reporter);

/// Errors: as send_update.
Result<Restart> ask_rollback(const Remote& remote);

/// Waits until the slot has proved itself, and returns how the machine is then. Errors:
/// ErrorKind::integrity, the machine has gone back to the other slot, with the last thing that the proof
/// said; ErrorKind::network, nothing is known after `patience`.
Result<Facts> wait_for_proof(const Remote& remote, const Restart& restart, std::chrono::seconds patience,
                             Reporter& reporter);

/// What is wrong with a machine, a line each; empty: nothing.
std::vector<std::string> complaints(const Facts& facts, std::int64_t now);

}  // namespace mailstead::update
