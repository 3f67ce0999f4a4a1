// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/public_part.hpp"

#include <future>

#include "base/run.hpp"
#include "fetch/fetch.hpp"
#include "fetch/store.hpp"
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

Result<std::vector<PackageFile>> fetch_packages(const Platform& platform, const lock::Lock& lock,
                                                const std::string& spec, const Options& options,
                                                Reporter& reporter) {
  TRY(fetch::Store store, fetch::Store::open(platform.cache));
  lock::Mirrors mirrors;
  fetch::FetchOptions fetch_options;
  fetch_options.offline = options.offline;
  fetch_options.update_command = shell_quote({"mailstead", "lock", spec, "--update"});
  if (!options.offline) {
    TRY(mirrors, get_mirrors(options));
    TRY(fetch_options.snapshot, get_snapshot_archive(options));
  }
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

}  // namespace

Result<std::optional<PublicPart>> find_public_part(const Platform& platform, const lock::Lock& lock) {
  TRY(const BaseId id, base_id(platform, lock));
  TRY(auto base, find_base(platform, id));
  auto toolbox = tools::Toolbox::find(platform.cache, tool_packages(lock), lock.archive_time);
  if (!base || !toolbox) return std::optional<PublicPart>();
  return std::optional<PublicPart>({*std::move(base), *std::move(toolbox), {}});
}

Result<PublicPart> get_public_part(const Platform& platform, const lock::Lock& lock, const std::string& spec,
                                   const Options& options, Reporter& reporter) {
  clean_cache(platform.cache);
  const std::vector<tools::Toolbox::Package> programs = tool_packages(lock);
  TRY(const BaseId id, base_id(platform, lock));
  // Both read and digest all that they find, and wait for the disk in between.
  auto tools_there = std::async(
      std::launch::async, [&] { return tools::Toolbox::find(platform.cache, programs, lock.archive_time); });
  TRY(auto base, find_base(platform, id));
  auto toolbox = tools_there.get();
  if (base && toolbox) return PublicPart{*std::move(base), *std::move(toolbox), {}};

  TRY(const auto packages, fetch_packages(platform, lock, spec, options, reporter));
  TRY(Unpacked unpacked, unpack(platform, packages, {!base, !base, !toolbox}, reporter));
  // Most of the one is to make files, of the other to sort them.
  auto tools_made = std::async(std::launch::async, [&]() -> Result<tools::Toolbox> {
    if (toolbox) return *toolbox;
    return tools::Toolbox::make(platform.cache, programs, unpacked.with(&lock::Roles::tool),
                                lock.archive_time, reporter);
  });
  rootfs::FileTree system;
  if (!base) {
    TRY(system, lay_system(platform, lock, unpacked, reporter));
  }
  TRY(toolbox, tools_made.get());
  if (!base) {
    TRY(base, make_base({platform, lock, *toolbox}, id, unpacked, std::move(system), reporter));
  }
  return PublicPart{*std::move(base), *std::move(toolbox), std::move(unpacked)};
}

Result<ComposedPublicPart> compose_public_part(const Platform& platform, const lock::Lock& lock,
                                               const std::string& spec, const Options& options,
                                               const fs::path& scratch, Reporter& reporter) {
  TRY(const BaseId id, base_id(platform, lock));
  TRY(const auto packages, fetch_packages(platform, lock, spec, options, reporter));
  auto toolbox = tools::Toolbox::find(platform.cache, tool_packages(lock), lock.archive_time);
  TRY(const Unpacked unpacked, unpack(platform, packages, {true, true, !toolbox}, reporter));
  if (!toolbox) {
    TRY(toolbox, tools::Toolbox::make(platform.cache, tool_packages(lock), unpacked.with(&lock::Roles::tool),
                                      lock.archive_time, reporter));
  }
  TRY(rootfs::FileTree system, lay_system(platform, lock, unpacked, reporter));
  TRY(ComposedBase composed,
      compose_base({platform, lock, *toolbox}, id, unpacked, std::move(system), scratch, reporter));
  return ComposedPublicPart{std::move(composed), *std::move(toolbox)};
}

}  // namespace mailstead::pipeline
