// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/build.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>

#include "base/files.hpp"
#include "base/run.hpp"
#include "fetch/fetch.hpp"
#include "fetch/store.hpp"
#include "keys/keys.hpp"
#include "lock/check.hpp"
#include "lock/lock_file.hpp"
#include "pipeline/base.hpp"
#include "pipeline/sieve.hpp"
#include "pipeline/site_image.hpp"
#include "tools/complete.hpp"
#include "tools/scratch.hpp"

namespace mailstead::pipeline {
namespace {

namespace fs = std::filesystem;

/// Removes from the cache what killed builds have left, unpacked packages and private keys among it, and what
/// no build has used for a month: every lock and every version of Mailstead makes a base of its own.
void clean_cache(const fs::path& cache) {
  for (const char* name : {"bases", "scratch", "sieve", "tools"}) tools::remove_leftovers(cache / name);
  std::error_code error;
  for (fs::directory_iterator it(cache / "sieve", error), end; !error && it != end; it.increment(error))
    tools::remove_leftovers(it->path());
  const fs::path mark = tools::kMarkName;
  tools::remove_unused(cache / "bases", kBaseMark);
  tools::remove_unused(cache / "sieve", "usr" / mark);
  tools::remove_unused(cache / "tools", mark);
}

/// Private keys first: to miss them after minutes of downloads would be unkind.
Status require_keys(const spec::Site& site) {
  const std::vector<fs::path> missing = keys::missing_keys(site);
  if (missing.empty()) return ok();
  Error error{ErrorKind::usage,
              fmt::format("{} {} of the site {} missing", missing.size(),
                          missing.size() == 1 ? "key" : "keys", missing.size() == 1 ? "is" : "are"),
              {},
              fmt::format("{} makes them", shell_quote({"mailstead", "keys", site.file.string()})),
              {},
              {}};
  for (const fs::path& path : missing) error.notes.push_back(path.string());
  return fail(std::move(error));
}

Status require_place(const fs::path& image) {
  const fs::path folder = fs::absolute(image).parent_path();
  if (!fs::is_directory(folder)) {
    return fail(ErrorKind::io, fmt::format("cannot write {}: its folder does not exist", image.string()),
                fmt::format("mkdir -p {}", folder.string()));
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fail(ErrorKind::io, fmt::format("cannot write into {}: {}", folder.string(), std::strerror(errno)),
                "name another place for the image with -o");
  std::error_code error;
  if (!fs::exists(image, error)) return ok();
  if (!fs::is_regular_file(image, error)) {
    return fail(ErrorKind::usage, fmt::format("{} is not a file that could be an image", image.string()),
                "name a file; it is copied to a disk afterwards");
  }
  // A slip of the hand must not cost a spec, a lock or a letter.
  if (!image::looks_like_disk(image) && fs::file_size(image, error) != 0) {
    return fail(
        ErrorKind::usage,
        fmt::format("{} is there already, and is no disk image: it is not overwritten", image.string()),
        "name another file, or remove this one");
  }
  return ok();
}

Result<std::vector<PackageFile>> fetch_packages(const Project& project, const lock::Lock& lock,
                                                const Options& options, Reporter& reporter) {
  TRY(fetch::Store store, fetch::Store::open(project.cache));
  lock::Mirrors mirrors;
  if (!options.offline) {
    TRY(mirrors, get_mirrors(options));
  }
  fetch::FetchOptions fetch_options;
  fetch_options.offline = options.offline;
  TRY(const auto fetched,
      fetch::fetch_packages(lock, {true, true, true}, store, mirrors, fetch_options, reporter));
  std::vector<PackageFile> files;
  files.reserve(fetched.size());
  for (const auto& file : fetched) files.push_back({file.package, file.path});
  return files;
}

std::vector<tools::Toolbox::Package> tool_packages(const lock::Lock& lock) {
  std::vector<tools::Toolbox::Package> packages;
  for (const lock::Package& package : lock.packages) {
    if (package.roles.tool) packages.push_back({package.name, package.sha256});
  }
  return packages;
}

/// The tools of the lock, if they are in the cache.
std::optional<tools::Toolbox> find_toolbox(const Project& project, const lock::Lock& lock) {
  return tools::Toolbox::find(project.cache, tool_packages(lock), lock.archive_time);
}

/// Base and tools, made once for a lock and profile, then taken from the cache.
Result<Base> get_base(const Project& project, const lock::Lock& lock,
                      const std::vector<render::Overlay>& overlays, const Options& options,
                      std::optional<tools::Toolbox>& toolbox, Reporter& reporter) {
  TRY(const BaseId id, base_id(project, lock, overlays));
  TRY(auto known, find_base(project, id));
  toolbox = find_toolbox(project, lock);
  if (known && toolbox) return *std::move(known);
  TRY(const auto packages, fetch_packages(project, lock, options, reporter));
  TRY(const Unpacked unpacked, unpack(project, packages, {!known, !known, !toolbox}, reporter));
  if (!toolbox) {
    TRY(toolbox, tools::Toolbox::make(project.cache, tool_packages(lock), unpacked.with(&lock::Roles::tool),
                                      lock.archive_time, reporter));
  }
  if (known) return *std::move(known);
  return make_base({project, lock, overlays, *toolbox}, id, unpacked, reporter);
}

}  // namespace

Result<BuildResult> build(const fs::path& spec, const fs::path& image, const Options& options,
                          Reporter& reporter) {
  TRY(const Project project, open_project(spec, options));
  CHECK_OK(require_keys(project.site));
  CHECK_OK(check_keys(project, options, Untimely::warn, reporter));
  warn_of_example_passwords(project, reporter);
  CHECK_OK(require_place(image));
  TRY(const lock::Lock lock, get_lock(project, options, reporter));
  clean_cache(project.cache);
  TRY(const auto overlays, render::load_overlays(project.data, project.profile.overlays));
  std::optional<tools::Toolbox> toolbox;
  TRY(const Base base, get_base(project, lock, overlays, options, toolbox, reporter));
  const BaseInput input{project, lock, overlays, *toolbox};
  // Beside the site's files: both wait for the disk more than for a processor.
  auto scripts = std::async(std::launch::async, [&] { return check_sieve_scripts(input, base, reporter); });
  TRY(const SiteImage site, write_site_image(input, base, image, [&] { return scripts.get(); }, reporter));

  BuildResult result;
  result.image = image;
  struct stat status{};
  if (::stat(image.c_str(), &status) == 0) {
    result.size = static_cast<std::uint64_t>(status.st_size);
    result.allocated = static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  result.base = base.id;
  result.usr_root_hash = base.usr.root_hash;
  result.root_root_hash = site.root_hash;
  return result;
}

Result<bool> check_scripts_if_built(const Project& project, Reporter& reporter) {
  const auto& accounts = project.site.accounts;
  if (std::none_of(accounts.begin(), accounts.end(), [](const auto& account) { return account.sieve; }))
    return true;
  const auto lock = lock::load_lock(project.lock_file);
  if (!lock || !lock::check_lock(*lock, project.request)) return false;
  TRY(const auto overlays, render::load_overlays(project.data, project.profile.overlays));
  TRY(const BaseId id, base_id(project, *lock, overlays));
  TRY(const auto base, find_base(project, id));
  if (!base) return false;
  const auto toolbox = find_toolbox(project, *lock);
  if (!toolbox) return false;
  CHECK_OK(check_sieve_scripts({project, *lock, overlays, *toolbox}, *base, reporter));
  return true;
}

}  // namespace mailstead::pipeline
