// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "image/records.hpp"
#include "lock/lock.hpp"
#include "pipeline/project.hpp"

namespace mailstead::pipeline {

/// What is public of a key of the site's.
struct PublicKey {
  std::string name;    ///< of the DNS record ("s2026r._domainkey.example.org"), or "tls certificate"
  std::string sha256;  ///< of the record's text, or of the certificate's file
};

/// What `mailstead build` made.
struct BuildResult {
  std::filesystem::path image;
  std::uint64_t size = 0;       ///< bytes of the disk
  std::uint64_t allocated = 0;  ///< bytes without holes
  std::string base;             ///< identity of the public part
  std::string usr_root_hash;
  std::string root_root_hash;
  std::string profile;
  std::string spec_sha256;                   ///< of the text that was read
  lock::Lock lock;                           ///< what was read of it
  std::map<std::string, std::string> files;  ///< see spec::Site::files
  std::vector<PublicKey> keys;               ///< the site's, baked into the image
  std::vector<image::PublicPart> parts;      ///< of the base
};

/// What to build, and where to.
struct BuildRequest {
  std::filesystem::path spec;
  std::filesystem::path image;       ///< empty: HOSTNAME.img in the current folder
  std::filesystem::path provenance;  ///< where to say what it was made from; empty: nowhere
};

/// From the spec to the image: the whole of Mailstead in one function.
Result<BuildResult> build(const BuildRequest& request, const Options& options, Reporter& reporter);

/// Compiles the sieve scripts of the spec, if its lock and the base for it are there already: true then, or
/// if there are no scripts. Nothing is fetched or built. Errors: those of check_sieve_scripts.
Result<bool> check_scripts_if_built(const Project& project, Reporter& reporter);

}  // namespace mailstead::pipeline
