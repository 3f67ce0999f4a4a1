// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "image/image.hpp"
#include "inspect/appliance.hpp"
#include "lock/lock_file.hpp"
#include "pipeline/security.hpp"

namespace mailstead::cli {
namespace {

Result<pipeline::AuditSubject> read_subject(const std::filesystem::path& file) {
  if (image::looks_like_disk(file)) {
    TRY(const auto image, inspect::DiskImage::open(file));
    TRY(const auto facts, inspect::read_public_facts(image));
    return pipeline::subject_of(facts.base);
  }
  TRY(const lock::Lock lock, lock::load_lock(file));
  return pipeline::subject_of(lock);
}

void print_audit(const pipeline::AuditSubject& subject, const pipeline::Audit& audit, bool json) {
  const std::string suite = subject.suite.suite + "-security";
  if (json) {
    nlohmann::ordered_json updates = nlohmann::ordered_json::array();
    for (const auto& update : audit.updates)
      updates.push_back({{"package", update.name}, {"version", update.version}, {"fixed", update.fixed}});
    const nlohmann::ordered_json object = {{"suite", suite},
                                           {"architecture", subject.suite.architecture},
                                           {"archive_time", audit.known.date},
                                           {"packages", subject.packages.size()},
                                           {"updates", std::move(updates)}};
    fmt::print("{}\n", object.dump(2));
    return;
  }
  for (const auto& update : audit.updates)
    fmt::print("{} {} -> {}\n", update.name, update.version, update.fixed);
  fmt::print("{} of {} packages {} security updates ({} of {})\n", audit.updates.size(),
             subject.packages.size(), audit.updates.size() == 1 ? "has" : "have", suite,
             lock::time_text(audit.known.date));
}

}  // namespace

void add_audit(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand("audit",
                                      "list the packages of a lock or image for which Debian has "
                                      "security updates (exit code 1 if there are any)");
  auto file = std::make_shared<std::filesystem::path>();
  verb->add_option("LOCK|IMAGE", *file, "a lock (mailstead.lock) or a disk image")
      ->required()
      ->check(not_empty);
  add_archive_options(*verb, globals);
  add_json_option(*verb, globals);
  verb->footer(examples(
      {{"audit", "mailstead.lock"}},
      "Each line has a package, its version and the fixed version. `lock SPEC --update` takes the fixed "
      "versions. Exit codes: 0 there are no updates, 1 there are updates or the work failed, 2 the command "
      "line or the lock is wrong. With --offline, or if the archive does not answer, audit uses what it "
      "learned the last time, and prints when that was."));
  verb->callback([&globals, file] {
    globals.work = [&globals, file]() -> Status {
      TRY(const auto subject, read_subject(*file));
      TRY(const auto audit, pipeline::audit(subject, globals.options, *globals.reporter));
      print_audit(subject, audit, globals.json);
      globals.exit_code = audit.updates.empty() ? 0 : 1;
      return ok();
    };
  });
}

}  // namespace mailstead::cli
