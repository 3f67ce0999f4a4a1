// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "image/records.hpp"
#include "lock/lock.hpp"
#include "lock/security.hpp"
#include "pipeline/project.hpp"

namespace mailstead::pipeline {

/// What is held against the security archive: the packages of a lock or an image.
struct AuditSubject {
  lock::SecuritySuite suite;
  std::vector<lock::VersionedPackage> packages;
};
AuditSubject subject_of(const lock::Lock& lock);
AuditSubject subject_of(const image::BaseRecord& record);

struct Audit {
  lock::SecurityState known;
  std::vector<lock::SecurityUpdate> updates;
};

/// Asks the security archive now, or, with options.offline, nobody. When it cannot be asked, what is known
/// from before counts, with a warning. Errors: nothing is known at all.
Result<Audit> audit(const AuditSubject& subject, const Options& options, Reporter& reporter);

/// Warns of packages that the security archive has in a newer version; `remedy` says what moves on. It is
/// asked at most once a day and waited for briefly; that it cannot be asked is told, and never an error.
void warn_of_security_updates(const AuditSubject& subject, const std::string& remedy, const Options& options,
                              Reporter& reporter);

}  // namespace mailstead::pipeline
