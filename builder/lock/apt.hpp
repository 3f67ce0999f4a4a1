// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/files.hpp"
#include "base/result.hpp"
#include "base/run.hpp"
#include "lock/index.hpp"
#include "lock/transport.hpp"

namespace mailstead::lock {

/// What to ask of which archive.
struct AptSetup {
  std::string suite;
  std::string architecture;
  Address debian;                        ///< the main mirror; empty: the security archive alone is asked
  Address security;                      ///< the security mirror
  std::filesystem::path keyring;         ///< keys that may sign the archive's Release files
  Transport transport{};                 ///< how to get there
  std::chrono::seconds time_limit{900};  ///< for fetching the indexes
};

/// Why a mirror's index cannot be used.
struct MirrorFailure {
  bool security = false;  ///< which of the two
  Error error;
};

/// Debian's own apt-get as solver and verifier, with a configuration of its own: nothing of the machine's
/// sources, keys, preferences, hooks or installed packages is looked at, only how it reaches servers
/// (Transport), and nothing outside of one folder is written. Works for every user, with apt 2.6 and 3.0. The
/// folder keeps the indexes for the next time; a file lock keeps other processes out meanwhile.
class Apt {
 public:
  /// Prepares a folder below `parent`, named after `setup`. Errors (ErrorKind::usage, ErrorKind::io): no
  /// keyring, no apt-get, a path that apt's configuration cannot hold.
  static Result<Apt> open(const std::filesystem::path& parent, AptSetup setup);

  /// Fetches and verifies the indexes. What comes back is what is wrong with each mirror, nothing if all is
  /// well: ErrorKind::integrity for an index that is unsigned, signed by a key that is not in the keyring,
  /// expired, altered or of another suite; ErrorKind::network for a mirror that cannot be reached, or
  /// refuses. Errors: apt-get cannot be run.
  Result<std::vector<MirrorFailure>> update();

  /// Solves for an empty system: the packages that `names` (and Essential ones, if `essential`) need,
  /// recommendations left out. Errors (ErrorKind::usage) name unknown packages, or show apt's explanation.
  Result<std::vector<Identity>> solve(const std::vector<std::string>& names, bool essential);

  /// Fills in archive, path, size and digest of the wanted packages from the verified indexes. Error: one is
  /// in none.
  Status look_up(std::map<Identity, Package>& wanted);

  /// The files of the verified indexes of packages, each with the suite that it is of ("trixie-security").
  Result<std::vector<std::pair<std::string, std::filesystem::path>>> indexes() const;

  /// The newest Date of the Release files, seconds since the epoch.
  Result<std::int64_t> archive_time() const;

 private:
  Apt(AptSetup setup, std::filesystem::path folder, FileDescriptor guard);
  Result<std::vector<Release>> releases() const;
  Result<std::vector<MirrorFailure>> check_suites() const;
  Command command(std::vector<std::string> arguments) const;
  Status write_configuration() const;

  AptSetup setup_;
  std::filesystem::path folder_;
  FileDescriptor guard_;
};

/// Suites of the archive that are asked, each with its mirror.
std::vector<std::pair<std::string, Address>> suites_of(const AptSetup& setup);

/// What a failed `apt-get update` means, from what it printed; at least one mirror has failed then.
std::vector<MirrorFailure> explain_update_failure(const AptSetup& setup, std::string_view output);

/// One error for mirrors of which none has given an index, with each one's reason. `failures` is not empty.
Error join_failures(const std::vector<MirrorFailure>& failures);

/// What a failed `apt-get install` means, from what it printed.
Error explain_solve_failure(std::string_view output);

/// Reads what `apt-get --print-uris install` prints: a line a package, "'address'
/// name_version_architecture.deb size digest".
Result<std::vector<Identity>> parse_print_uris(std::string_view output);

}  // namespace mailstead::lock
