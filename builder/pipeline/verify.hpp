// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "pipeline/project.hpp"
#include "verify/report.hpp"

namespace mailstead::pipeline {

/// What an image is held against.
struct VerifyRequest {
  std::filesystem::path image;
  std::filesystem::path spec;     ///< empty: only against what the image says of itself
  std::filesystem::path lock;     ///< empty: the one beside the spec
  std::filesystem::path against;  ///< an image that must be the same; empty: none
  std::string root_hash;          ///< what the image's has to be, 64 lower-case digits; empty: not known
  bool quick = false;             ///< leave out libguestfs
};

/// Proves an image. Always: that all of it follows from the root hash on the kernel's command line; with a
/// root hash: that this is the one. With a spec: that every byte and every file is what the locked packages
/// and the spec give, composed anew, without anything that a build has left in the cache but packages and
/// tools, whose digests are checked. Unless it is to be quick, files are read by libguestfs and held against
/// those, or, without a spec, against what our own readers find in an image that is sound in itself.
///
/// What is wrong with the image is in the report. Errors: what prevents a report; those of open_project.
Result<verify::Report> verify_image(const VerifyRequest& request, const Options& options, Reporter& reporter);

}  // namespace mailstead::pipeline
