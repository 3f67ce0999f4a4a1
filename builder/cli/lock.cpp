// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "base/files.hpp"
#include "cli/command.hpp"
#include "lock/check.hpp"
#include "lock/lock_file.hpp"

namespace mailstead::cli {
namespace {

void print_lock(const lock::Lock& lock) {
  std::size_t count[4] = {};
  std::uint64_t size = 0;
  for (const lock::Package& package : lock.packages) {
    count[0] += package.roles.system ? 1 : 0;
    count[1] += package.roles.initrd ? 1 : 0;
    count[2] += package.roles.tool ? 1 : 0;
    count[3] += package.roles.boot ? 1 : 0;
    size += package.size;
  }
  fmt::print(
      "{} packages ({}): {} for the system, {} for the initrd, {} with tools, {} that start the machine\n",
      lock.packages.size(), human_size(size), count[0], count[1], count[2], count[3]);
}

Status make_or_update(const std::filesystem::path& spec, bool update, Globals& globals) {
  TRY(const auto project, pipeline::open_project(spec, globals.options));
  if (!update || !std::filesystem::exists(project.lock_file)) {
    TRY(const lock::Lock lock, pipeline::get_lock(project, globals.options, *globals.reporter));
    print_lock(lock);
    return ok();
  }
  // A lock that cannot be read is no reason not to make a new one; it only leaves nothing to compare with.
  const auto before = lock::load_lock(project.lock_file);
  TRY(const lock::Lock after, pipeline::make_lock(project, globals.options, *globals.reporter));
  if (before) {
    CHECK_OK(lock::check_not_older(*before, after));
    CHECK_OK(lock::check_same_ids(*before, after));
  }
  CHECK_OK(lock::save_lock(project.lock_file, after));
  if (before) {
    const std::vector<std::string> changes = lock::diff_locks(*before, after);
    for (const std::string& change : changes) fmt::print("{}\n", change);
    if (changes.empty()) fmt::print("nothing changed\n");
  } else {
    globals.reporter->warning("the old lock could not be read: " + before.error().message);
  }
  print_lock(after);
  return ok();
}

}  // namespace

void add_lock(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand(
      "lock", "resolve the packages, verify the signatures of the archive and pin every package");
  auto spec = std::make_shared<std::filesystem::path>();
  auto update = std::make_shared<bool>(false);
  add_spec_argument(*verb, *spec);
  verb->add_flag("--update", *update, "pin the newest packages and show what changed");
  add_profile_option(*verb, globals);
  add_archive_options(*verb, globals);
  verb->footer(examples({{"lock", "site/mail.yaml", "--update"}},
                        "The lock is the file mailstead.lock beside the spec. Keep it in version control."));
  verb->callback([&globals, spec, update] {
    globals.work = [&globals, spec, update] { return make_or_update(*spec, *update, globals); };
  });
}

}  // namespace mailstead::cli
