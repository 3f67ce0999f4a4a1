// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/public_part.hpp"

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/program.hpp"
#include "base/run.hpp"
#include "base/threads.hpp"
#include "fetch/fetch.hpp"
#include "fetch/store.hpp"
#include "rootfs/dependencies.hpp"
#include "tools/complete.hpp"
#include "tools/full_disk.hpp"
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
  fetch_options.update_command = own_command({"lock", spec, "--update"});
  if (!options.offline) {
    TRY(mirrors, get_mirrors(options));
    TRY(fetch_options.snapshot, get_snapshot_archive(options));
    TRY(fetch_options.transport, get_transport());
  }
  TRY(const auto fetched,
      fetch::fetch_packages(lock, {true, true, true, true}, store, mirrors, fetch_options, reporter));
  std::vector<PackageFile> files;
  files.reserve(fetched.size());
  for (const auto& file : fetched) files.push_back({file.package, file.path});
  return files;
}

/// Whether what each role has needs nothing that it lacks. Told before anything is unpacked.
Status check_dependencies(const lock::Lock& lock, const std::vector<PackageFile>& packages,
                          const std::vector<rootfs::ControlData>& controls, const std::string& spec) {
  constexpr std::pair<bool lock::Roles::*, const char*> kRoles[] = {{&lock::Roles::system, "the system"},
                                                                    {&lock::Roles::initrd, "the initrd"},
                                                                    {&lock::Roles::tool, "the tools"}};
  std::vector<std::string> missing;
  for (const auto& [role, what] : kRoles) {
    std::vector<const rootfs::ControlData*> together;
    for (std::size_t i = 0; i < packages.size(); ++i) {
      if (packages[i].package.roles.*role) together.push_back(&controls[i]);
    }
    for (const std::string& line : rootfs::missing_dependencies(together))
      missing.push_back(fmt::format("{}, which {} of the lock {} not have", line, what,
                                    role == &lock::Roles::tool ? "do" : "does"));
  }
  if (missing.empty()) return ok();
  return fail(Error{
      ErrorKind::usage,
      fmt::format("the lock of {} lacks what its own packages need", lock::time_text(lock.archive_time)),
      {},
      fmt::format("`{}` resolves it again and shows what changes", own_command({"lock", spec, "--update"})),
      std::move(missing),
      {}});
}

/// Reads what the packages say of themselves, and holds the lock and the disk against it: what cannot end
/// well is told before minutes of work.
Status check_packages(const Platform& platform, const lock::Lock& lock,
                      const std::vector<PackageFile>& packages, const std::string& spec) {
  std::vector<rootfs::ControlData> controls;
  std::uint64_t unpacked = 0;
  for (const PackageFile& file : packages) {
    TRY(rootfs::ControlData control, rootfs::read_deb_control(file.deb));
    unpacked += rootfs::installed_size(control);
    controls.push_back(std::move(control));
  }
  CHECK_OK(check_dependencies(lock, packages, controls, spec));
  return require_cache_space(platform.cache, unpacked, "the unpacked packages");
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

namespace {

Result<PublicPart> find_or_make_public_part(const Platform& platform, const lock::Lock& lock,
                                            const std::string& spec, const Options& options,
                                            Reporter& reporter) {
  clean_cache(platform.cache);
  const std::vector<tools::Toolbox::Package> programs = tool_packages(lock);
  TRY(const BaseId id, base_id(platform, lock));
  // Both read and digest all that they find, and wait for the disk in between.
  auto tools_there =
      beside([&] { return tools::Toolbox::find(platform.cache, programs, lock.archive_time); });
  TRY(auto base, find_base(platform, id));
  auto toolbox = tools_there.get();
  if (base && toolbox) return PublicPart{*std::move(base), *std::move(toolbox), {}};

  TRY(const auto packages, fetch_packages(platform, lock, spec, options, reporter));
  CHECK_OK(check_packages(platform, lock, packages, spec));
  TRY(Unpacked unpacked, unpack(platform, packages, {!base, !base, !toolbox, !base}, reporter));
  // Most of the one is to make files, of the other to sort them.
  auto tools_made = beside([&]() -> Result<tools::Toolbox> {
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

/// Of all that is written to the cache some says itself that its disk is full.
Error explain(Error error, const Platform& platform) {
  if (error.hint == kCacheFull) return error;
  return tools::explain_full_disk(std::move(error), platform.cache / "bases");
}

}  // namespace

Result<PublicPart> get_public_part(const Platform& platform, const lock::Lock& lock, const std::string& spec,
                                   const Options& options, Reporter& reporter) {
  auto part = find_or_make_public_part(platform, lock, spec, options, reporter);
  if (!part) return fail(explain(std::move(part).error(), platform));
  return part;
}

Result<ComposedPublicPart> compose_public_part(const Platform& platform, const lock::Lock& lock,
                                               const std::string& spec, const Options& options,
                                               const fs::path& scratch, Reporter& reporter) {
  TRY(const BaseId id, base_id(platform, lock));
  TRY(const auto packages, fetch_packages(platform, lock, spec, options, reporter));
  CHECK_OK(check_packages(platform, lock, packages, spec));
  auto toolbox = tools::Toolbox::find(platform.cache, tool_packages(lock), lock.archive_time);
  TRY(const Unpacked unpacked, unpack(platform, packages, {true, true, !toolbox, true}, reporter));
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
