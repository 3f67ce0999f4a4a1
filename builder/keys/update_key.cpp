// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys/update_key.hpp"

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/run.hpp"

namespace mailstead::keys {
namespace {

constexpr std::uint64_t kLargestKey = 64 * 1024;  // bytes; real ones have 400

Command ssh_keygen(std::vector<std::string> arguments) {
  Command command;
  command.argv = {"ssh-keygen"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.timeout = std::chrono::seconds(60);
  return command;
}

}  // namespace

Result<UpdateKey> new_update_key(const std::string& hostname) {
  // In a folder that is ours alone, and from there to its place as all other keys.
  TRY(const TemporaryDirectory folder, TemporaryDirectory::create());
  const std::filesystem::path file = folder.path() / "key";
  Command make =
      ssh_keygen({"-q", "-t", "ed25519", "-N", "", "-C", "updates of " + hostname, "-f", file.string()});
  // Whatever the user's umask, the file can be read here.
  make.argv.insert(make.argv.begin(), {"sh", "-c", "umask 077 && exec \"$@\"", "sh"});
  CHECK_OK(run(make));
  TRY(std::string private_key, read_file(file, kLargestKey));
  Secret secret(std::move(private_key));
  TRY(std::string public_key, read_file(file.string() + ".pub", kLargestKey));
  return UpdateKey{std::move(secret), std::move(public_key)};
}

Result<std::string> public_half(const std::filesystem::path& private_key) {
  // Without a passphrase; stdin is /dev/null, so it cannot ask for one.
  const Command print = ssh_keygen({"-y", "-P", "", "-f", std::filesystem::absolute(private_key).string()});
  TRY(const CommandOutput done, run_any_status(print));
  if (done.exit_status == 0) return done.out;
  if (done.err.find("Load key") == std::string::npos) {
    // It is not the key: run() tells what of this machine stands in the way.
    TRY(const CommandOutput again, run(print));
    return again.out;
  }
  return fail(
      ErrorKind::usage,
      fmt::format("{} is not a private key that can be used: it is damaged, encrypted, or can be read "
                  "by other users",
                  private_key.string()),
      "close it with `chmod 600`, or restore it from a backup: the machine accepts no other");
}

}  // namespace mailstead::keys
