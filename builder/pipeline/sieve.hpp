// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "pipeline/base.hpp"

namespace mailstead::pipeline {

/// Compiles the sieve scripts of `site` with the appliance's own sievec, as Dovecot would at the first
/// delivery, and throws the results away. sievec and Dovecot's settings modules have fixed paths, so they are
/// taken out of the base's /usr and run with that as their root: by chroot(8), in a user namespace unless we
/// are root.
///
/// Errors (ErrorKind::usage): all mistakes of all scripts, with the account and the line of the script. Where
/// the machine allows no user namespace, or is of another architecture than the appliance, a warning says
/// that the scripts have not been compiled. Does nothing if there are no scripts.
Status check_sieve_scripts(const spec::Site& site, const BaseInput& input, const Base& base,
                           Reporter& reporter);

/// What sievec said about the script of `account`, "name: line 4: error: …" a line, as errors at the script's
/// line in its file, or at the place of a script within the spec.
std::vector<Error> read_sieve_errors(const spec::Account& account, std::string_view said);

}  // namespace mailstead::pipeline
