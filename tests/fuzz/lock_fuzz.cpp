// SPDX-License-Identifier: GPL-3.0-or-later
// Locks come from strangers: whatever the bytes are, they are refused with a printable error, or make a lock
// that holds what parse_lock promises and comes back from its own text.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "crypto/digest.hpp"
#include "lock/check.hpp"
#include "lock/lock_file.hpp"
#include "lock/package_url.hpp"
#include "lock/text.hpp"

namespace {

using namespace mailstead;

void require(bool condition) {
  if (!condition) std::abort();
}

/// With both digests as its writer would have made them: no mutation finds one. What else is wrong with the
/// text stays.
std::string sealed(std::string_view text) {
  lock::Lock asked;
  std::string body;
  for (const std::string_view line : lock::split_lines(text)) {
    const auto words = lock::split_words(line);
    const std::string_view key = words.empty() ? "" : words[0];
    if (line.starts_with('#') || key == "request" || key == "end") continue;
    body += std::string(line) + "\n";
    if (words.size() < 2) continue;
    const std::string value(words[1]);
    if (key == "suite") asked.suite = value;
    if (key == "architecture") asked.architecture = value;
    if (key == "host-architecture") asked.host_architecture = value;
    if (key == "ask-system") asked.requested_system.push_back(value);
    if (key == "ask-initrd") asked.requested_initrd.push_back(value);
    if (key == "ask-tool") asked.requested_tools.push_back(value);
    if (key == "ask-boot") asked.requested_boot.push_back(value);
    if (words.size() < 3 || (key != "user" && key != "group")) continue;
    lock::FixedId id{value, 0};
    std::from_chars(words[2].data(), words[2].data() + words[2].size(), id.id);
    (key == "user" ? asked.users : asked.groups).push_back(id);
  }
  body += "request " + lock::request_digest(lock::request_of(asked)) + "\n";
  return body + "end " + crypto::sha256_hex(body) + "\n";
}

void check_error(const Error& error) {
  require(error.kind == ErrorKind::usage && !error.message.empty());
  require(error.place.has_value() && error.place->line >= 1);
  const std::string text = format_error(error);
  require(std::all_of(text.begin(), text.end(), [](unsigned char c) { return c == '\n' || c >= 0x20; }));
}

/// Paths become part of addresses, digests of paths in the store.
void check_package(const lock::Package& package, const std::string& suite) {
  require(package.pool_path.starts_with("pool/") && package.pool_path.ends_with(".deb"));
  require(package.pool_path.find("/.") == std::string::npos &&
          package.pool_path.find("//") == std::string::npos);
  require(package.pool_path.find_first_of("\\%?#@ \"'") == std::string::npos);
  require(package.sha256.size() == 64 &&
          package.sha256.find_first_not_of("0123456789abcdef") == std::string::npos);
  require(package.size > 0 &&
          (package.roles.system || package.roles.initrd || package.roles.tool || package.roles.boot));
  const std::string url = lock::package_url(package.name, package.version, package.architecture, suite);
  require(url.find_first_of(" \n\"") == std::string::npos);
}

void read(std::string_view text) {
  const auto lock = lock::parse_lock(text, "fuzz.lock");
  if (!lock) return check_error(lock.error());
  for (const lock::Package& package : lock->packages) check_package(package, lock->suite);
  const std::string written = lock::format_lock(*lock);
  const auto again = lock::parse_lock(written, "again.lock");
  require(again.has_value() && lock::format_lock(*again) == written);
  require(lock::diff_locks(*lock, *again).empty());
  require(lock::check_not_older(*lock, *again).has_value());
  (void)lock::check_lock(*lock, lock::request_of(*lock));
  (void)lock::check_same_ids(*lock, *again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read(text);
  read(sealed(text));
  return 0;
}
