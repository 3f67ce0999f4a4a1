// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/security.hpp"

#include <fmt/format.h>

#include "base/files.hpp"
#include "lock/text.hpp"

namespace mailstead::pipeline {
namespace {

constexpr std::int64_t kDay = 24 * 3600;
/// Beyond this, that nothing newer is known is worth a word.
constexpr std::int64_t kOld = 7 * kDay;
constexpr std::chrono::seconds kBrief{10};

Result<lock::SecurityState> ask(const AuditSubject& subject, const std::filesystem::path& cache,
                                const Options& options, std::chrono::seconds time_limit) {
  lock::SecurityOptions security;
  security.now = options.now;
  security.time_limit = time_limit;
  TRY(const lock::Mirrors mirrors, get_mirrors(options));
  TRY(security.transport, get_transport());
  return lock::ask_security_archive(subject.suite, mirrors.security, cache, security);
}

std::string describe(const std::vector<lock::SecurityUpdate>& updates) {
  std::vector<std::string> names;
  names.reserve(updates.size());
  for (const auto& update : updates)
    names.push_back(fmt::format("{} {} (fixed: {})", update.name, update.version, update.fixed));
  return lock::list_some(names);
}

/// "not known", "known until 2026-11-23 12:00:00 UTC only"
std::string knowledge(const lock::SecurityState& state) {
  if (state.date == 0) return "not known";
  return fmt::format("known until {} only", lock::time_text(state.date));
}

}  // namespace

AuditSubject subject_of(const lock::Lock& lock) {
  AuditSubject subject{{lock.suite, lock.architecture}, {}};
  for (const lock::Package& package : lock.packages) {
    if (package.architecture == lock.architecture || package.architecture == "all")
      subject.packages.push_back({package.name, package.version});
  }
  return subject;
}

AuditSubject subject_of(const image::BaseRecord& record) {
  AuditSubject subject{{record.suite, record.architecture}, {}};
  for (const image::RecordedPackage& package : record.packages)
    subject.packages.push_back({package.name, package.version});
  return subject;
}

Result<Audit> audit(const AuditSubject& subject, const Options& options, Reporter& reporter) {
  TRY(const auto cache, cache_directory());
  Audit audit;
  if (!options.offline) {
    constexpr std::chrono::seconds kPatient{120};
    const auto activity = reporter.start("Asking the security archive");
    auto asked = ask(subject, cache, options, kPatient);
    if (asked) {
      audit.known = *std::move(asked);
      audit.updates = lock::find_security_updates(subject.packages, audit.known);
      activity->set_result(lock::time_text(audit.known.date));
      return audit;
    }
    activity->set_failed("no answer");
    audit.known = lock::load_security_state(subject.suite, cache);
    if (audit.known.date == 0 || asked.error().kind == ErrorKind::interrupted)
      return fail(std::move(asked).error());
    reporter.warning("the security archive cannot be asked: " + format_error_line(asked.error()));
  } else {
    audit.known = lock::load_security_state(subject.suite, cache);
    if (audit.known.date == 0)
      return fail(ErrorKind::usage,
                  "the security archive has never been asked: offline nothing is known of it",
                  "run once without --offline");
  }
  reporter.warning("security updates are " + knowledge(audit.known));
  audit.updates = lock::find_security_updates(subject.packages, audit.known);
  return audit;
}

void warn_of_security_updates(const AuditSubject& subject, const std::string& remedy, const Options& options,
                              Reporter& reporter) {
  const auto cache = cache_directory();
  if (!cache) return;
  lock::SecurityState known = lock::load_security_state(subject.suite, *cache);
  std::string trouble;
  const bool fresh = known.asked <= options.now && options.now - known.asked < kDay;
  if (!options.offline && !fresh) {
    auto asked = ask(subject, *cache, options, kBrief);
    if (asked)
      known = *std::move(asked);
    else
      trouble = ": " + asked.error().message;
  }
  const auto updates = lock::find_security_updates(subject.packages, known);
  const bool old = options.now - known.date > kOld;
  if (!updates.empty())
    reporter.warning(fmt::format("{} {} security updates: {}; {}", updates.size(),
                                 updates.size() == 1 ? "package has" : "packages have", describe(updates),
                                 remedy));
  if (old && (!options.offline || known.date != 0))
    reporter.info(fmt::format("Security updates are {}{}", knowledge(known), trouble));
}

}  // namespace mailstead::pipeline
