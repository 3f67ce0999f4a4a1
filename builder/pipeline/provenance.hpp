// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "pipeline/build.hpp"

namespace mailstead::pipeline {

/// Says how an image came to be, as an in-toto Statement v1 with the predicate of SLSA Provenance v1
/// (https://slsa.dev/spec/v1.0/provenance) in JSON: the image and its public parts as subjects, the spec and
/// the profile as what was asked for, the lock, each of its packages and what is public of the keys as what
/// it was made from. Files that the spec names besides (sieve scripts, password hashes) are not in it: of
/// what few could guess, a digest would tell. No clock and nothing of this machine is in it: the same build
/// has the same statement. `spec` and `result` as of build(), whose inputs it names; `image_sha256` is of the
/// whole image.
std::string provenance_statement(const std::filesystem::path& spec, const BuildResult& result,
                                 std::string_view image_sha256);

/// Hashes the image of `result` and writes the statement to `file`. Errors: ErrorKind::io.
Status write_provenance(const std::filesystem::path& spec, const BuildResult& result,
                        const std::filesystem::path& file, Reporter& reporter);

}  // namespace mailstead::pipeline
