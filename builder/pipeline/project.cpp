// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/project.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/files.hpp"
#include "base/program.hpp"
#include "crypto/digest.hpp"
#include "keys/check.hpp"
#include "keys/keys.hpp"
#include "lock/check.hpp"
#include "lock/lock_file.hpp"
#include "lock/resolve.hpp"
#include "spec/load.hpp"

namespace mailstead::pipeline {
namespace {

namespace fs = std::filesystem;

}  // namespace

Result<Platform> open_platform(const std::string& name) {
  Platform platform;
  TRY(platform.data, data_directory());
  TRY(platform.cache, cache_directory());
  TRY(platform.profile, profile::load_profile(platform.data, name));
  TRY(platform.overlays, overlay::load_overlays(platform.data, platform.profile.overlays));
  TRY(platform.initrd_overlays,
      overlay::load_overlays(platform.data, {std::begin(kInitrdOverlays), std::end(kInitrdOverlays)}));
  std::vector<overlay::Overlay> all = platform.overlays;
  for (const overlay::Overlay& more : platform.initrd_overlays)
    if (std::none_of(all.begin(), all.end(), [&](const auto& each) { return each.name == more.name; }))
      all.push_back(more);
  TRY(platform.accounts, overlay::merge_accounts(all));
  platform.request =
      profile::make_request(platform.profile, platform.overlays, platform.initrd_overlays, platform.accounts,
                            platform::facts_of(platform::host_architecture()).debian);
  return platform;
}

Result<Project> open_project(const fs::path& spec, const Options& options) {
  Project project;
  TRY(std::string text, spec::read_spec(spec));
  project.spec_sha256 = crypto::sha256_hex(text);
  TRY(project.site, spec::parse_site(std::move(text), spec));
  TRY(project.platform, open_platform(options.profile.empty() ? project.site.profile : options.profile));
  project.lock_file = lock::lock_path_for(project.site.file);
  return project;
}

Status require_keys(const spec::Site& site, std::string hint) {
  const std::vector<fs::path> missing = keys::missing_keys(site);
  if (missing.empty()) return ok();
  Error error{ErrorKind::usage,
              fmt::format("{} {} of the site {} missing", missing.size(),
                          missing.size() == 1 ? "key" : "keys", missing.size() == 1 ? "is" : "are"),
              {},
              std::move(hint),
              {},
              {}};
  for (const fs::path& path : missing) error.notes.push_back(path.string());
  return fail(std::move(error));
}

Status check_keys(const Project& project, const Options& options, Untimely untimely, Reporter& reporter) {
  keys::Findings findings = keys::check_keys(project.site, options.now);
  auto& stronger = untimely == Untimely::refuse ? findings.errors : findings.warnings;
  stronger.insert(stronger.end(), findings.untimely.begin(), findings.untimely.end());
  for (const Error& warning : findings.warnings) reporter.warning(format_error_line(warning));
  if (findings.errors.empty()) return ok();
  return fail(join_errors(std::move(findings.errors)));
}

void warn_of_choices(const Project& project, Reporter& reporter) {
  for (const Error& warning : project.site.warnings) reporter.warning(format_error_line(warning));
  std::string examples;
  std::error_code error;
  for (fs::directory_iterator it(project.platform.data / "profiles/examples", error), end;
       !error && it != end; it.increment(error)) {
    if (const auto text = read_file(it->path())) examples += *text;
  }
  for (const spec::Account& account : project.site.accounts) {
    if (examples.find(account.password_hash) != std::string::npos)
      reporter.warning(
          fmt::format("everyone knows the password of {}: its hash is that of an example; make one with "
                      "`{}`",
                      account.address.text(), own_command({"passwd"})));
  }
}

Result<lock::Mirrors> get_mirrors(const Options& options) {
  lock::MirrorChoice choice;
  choice.option = options.mirror;
  if (const char* environment = std::getenv("MAILSTEAD_MIRROR"); environment != nullptr) {
    choice.environment = environment;
  }
  return lock::find_mirrors(choice);
}

Result<lock::Transport> get_transport() {
  return lock::MachineApt().transport();
}

Result<lock::Lock> load_lock_for(const Platform& platform, const fs::path& path) {
  TRY(lock::Lock lock, lock::load_lock(path));
  CHECK_OK(lock::check_lock(lock, platform.request));
  return lock;
}

Result<Address> get_snapshot_archive(const Options& options) {
  const char* environment = std::getenv("MAILSTEAD_SNAPSHOT");
  return lock::find_snapshot_archive(options.snapshot, environment == nullptr ? "" : environment);
}

Result<lock::Lock> make_lock(const Project& project, const Options& options, Reporter& reporter) {
  if (options.offline) {
    return fail(ErrorKind::usage, "a lock cannot be made offline: it needs the archive's indexes",
                "leave out --offline once, or copy a mailstead.lock beside the spec");
  }
  TRY(const lock::Mirrors mirrors, get_mirrors(options));
  lock::ResolveOptions resolve;
  TRY(resolve.transport, get_transport());
  // Often guessed from the mirror's address: where the updates come from is to be seen.
  reporter.info(fmt::format("Security updates: {}", mirrors.security.front().shown()));
  return lock::resolve(project.platform.request, mirrors, project.platform.cache, reporter, resolve);
}

Result<lock::Lock> get_lock(const Project& project, const Options& options, Reporter& reporter) {
  if (!fs::exists(project.lock_file)) {
    TRY(const lock::Lock made, make_lock(project, options, reporter));
    CHECK_OK(lock::save_lock(project.lock_file, made));
  }
  return load_lock_for(project.platform, project.lock_file);
}

}  // namespace mailstead::pipeline
