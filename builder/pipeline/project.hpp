// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "lock/lock.hpp"
#include "lock/mirrors.hpp"
#include "overlay/overlay.hpp"
#include "profile/profile.hpp"
#include "render/render.hpp"
#include "spec/site.hpp"

namespace mailstead::pipeline {

struct Options {
  std::string profile;   ///< instead of the spec's; empty: the spec's
  std::string mirror;    ///< instead of the machine's APT sources; empty: those
  std::string snapshot;  ///< instead of Debian's snapshot archive; "none": without one; empty: that
  bool offline = false;  ///< use what is in the store only
  /// The time on the clock in seconds since the epoch, for messages about certificates. It never gets into an
  /// image.
  std::int64_t now = 0;
};

/// The folders of rootfs-overlays/ that go into every initrd, in this order.
inline constexpr const char* kInitrdOverlays[] = {"start", "initrd"};

/// What the public part of an appliance is made from, besides a lock: a profile with all that it refers to in
/// Mailstead's own data. It knows no site.
struct Platform {
  std::filesystem::path data;   ///< Mailstead's profiles, overlays and scenarios
  std::filesystem::path cache;  ///< store, tools and bases
  profile::Profile profile;
  overlay::Accounts accounts;
  std::vector<overlay::Overlay> overlays;         ///< the profile's, in their order
  std::vector<overlay::Overlay> initrd_overlays;  ///< kInitrdOverlays
  lock::Request request;                          ///< what the profile asks of the archive
};

/// Reads the profile called `name`. Errors: ErrorKind::usage.
Result<Platform> open_platform(const std::string& name);

/// A spec with all that it refers to.
struct Project {
  Platform platform;
  spec::Site site;
  std::string spec_sha256;          ///< of the text that was read
  std::filesystem::path lock_file;  ///< beside the spec
};

/// Reads the spec and its profile. Errors: ErrorKind::usage with places.
Result<Project> open_project(const std::filesystem::path& spec, const Options& options);

/// Error (ErrorKind::usage) that names the site's key files that are not there, with `hint` as its remedy.
Status require_keys(const spec::Site& site, std::string hint);

/// Whether a key file that is wrong only by the clock stops the work.
enum class Untimely { refuse, warn };

/// Holds the site's key files against keys::check_keys; all errors at once, warnings to `reporter`. Builds
/// only warn of certificates that have expired, so that an image of long ago can be built again.
Status check_keys(const Project& project, const Options& options, Untimely untimely, Reporter& reporter);

/// Warns of what spec::load_site noted, and of accounts with a password hash from profiles/examples: everyone
/// can read there what the password is.
void warn_of_choices(const Project& project, Reporter& reporter);

/// Where packages come from: --mirror, $MAILSTEAD_MIRROR or this machine's APT sources.
Result<lock::Mirrors> get_mirrors(const Options& options);

/// How this machine's APT reaches servers.
Result<lock::Transport> get_transport();

/// The lock at `path`, if it answers what the platform asks. Errors: those of load_lock and check_lock.
Result<lock::Lock> load_lock_for(const Platform& platform, const std::filesystem::path& path);

/// Where versions are that have left the mirrors: --snapshot, $MAILSTEAD_SNAPSHOT or Debian's snapshot
/// archive; empty for "none".
Result<Address> get_snapshot_archive(const Options& options);

/// Asks the archive for a new lock; writes nothing.
Result<lock::Lock> make_lock(const Project& project, const Options& options, Reporter& reporter);

/// The lock beside the spec, if it matches what the profile asks; if there is none, a new one, which is
/// written there.
Result<lock::Lock> get_lock(const Project& project, const Options& options, Reporter& reporter);

}  // namespace mailstead::pipeline
