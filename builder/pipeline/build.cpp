// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/build.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>

#include "base/files.hpp"
#include "base/run.hpp"
#include "crypto/digest.hpp"
#include "keys/keys.hpp"
#include "pipeline/public_part.hpp"
#include "pipeline/security.hpp"
#include "pipeline/sieve.hpp"
#include "pipeline/site_image.hpp"

namespace mailstead::pipeline {
namespace {

namespace fs = std::filesystem;

Result<std::vector<PublicKey>> public_keys(const spec::Site& site) {
  std::vector<PublicKey> all;
  for (const spec::Domain& domain : site.domains) {
    for (spec::DkimKey key : domain.dkim) {
      key.private_key = site.folder / key.private_key;
      TRY(const std::string record, keys::dkim_record(key));
      all.push_back({fmt::format("{}._domainkey.{}", key.selector, domain.name), crypto::sha256_hex(record)});
    }
  }
  TRY(std::string certificate, crypto::sha256_file_hex(site.tls.certificate));
  all.push_back({"tls certificate", std::move(certificate)});
  return all;
}

Status require_place(const fs::path& image) {
  const fs::path folder = fs::absolute(image).parent_path();
  if (!fs::is_directory(folder)) {
    return fail(ErrorKind::io, fmt::format("cannot write {}: its folder does not exist", image.string()),
                fmt::format("mkdir -p {}", folder.string()));
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fail(ErrorKind::io, fmt::format("cannot write into {}: {}", folder.string(), std::strerror(errno)),
                "name another place for the image with -o");
  std::error_code error;
  if (!fs::exists(image, error)) return ok();
  if (!fs::is_regular_file(image, error)) {
    return fail(ErrorKind::usage, fmt::format("{} is not a file that could be an image", image.string()),
                "name a file; it is copied to a disk afterwards");
  }
  // A slip of the hand must not cost a spec, a lock or a letter.
  if (!image::looks_like_disk(image) && fs::file_size(image, error) != 0) {
    return fail(
        ErrorKind::usage,
        fmt::format("{} is there already, and is no disk image: it is not overwritten", image.string()),
        "name another file, or remove this one");
  }
  return ok();
}

}  // namespace

Result<BuildResult> build(const fs::path& spec, const fs::path& image, const Options& options,
                          Reporter& reporter) {
  BuildResult result;
  TRY(const Project project, open_project(spec, options));
  result.spec_sha256 = project.spec_sha256;
  // To miss them after minutes of downloads would be unkind.
  CHECK_OK(require_keys(
      project.site,
      fmt::format("{} makes them", shell_quote({"mailstead", "keys", project.site.file.string()}))));
  CHECK_OK(check_keys(project, options, Untimely::warn, reporter));
  warn_of_example_passwords(project, reporter);
  result.files = project.site.files;
  TRY(result.keys, public_keys(project.site));
  CHECK_OK(require_place(image));
  TRY(const lock::Lock lock, get_lock(project, options, reporter));
  warn_of_security_updates(
      subject_of(lock),
      fmt::format("{} takes them",
                  shell_quote({"mailstead", "lock", project.site.file.string(), "--update"})),
      options, reporter);
  TRY(PublicPart part,
      get_public_part(project.platform, lock, project.site.file.string(), options, reporter));
  const Base& base = part.base;
  // Half a gigabyte on the disk, which the kernel needs a moment to take back.
  [[maybe_unused]] const auto released = std::async(std::launch::async, [&] { part.unpacked.reset(); });
  const BaseInput input{project.platform, lock, part.toolbox};
  // Beside the site's files: both wait for the disk more than for a processor.
  auto scripts = std::async(std::launch::async,
                            [&] { return check_sieve_scripts(project.site, input, base, reporter); });
  TRY(const SiteImage site,
      write_site_image(project.site, input, base, image, [&] { return scripts.get(); }, reporter));

  result.image = image;
  struct stat status{};
  if (::stat(image.c_str(), &status) == 0) {
    result.size = static_cast<std::uint64_t>(status.st_size);
    result.allocated = static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  result.base = base.id;
  result.usr_root_hash = base.usr.root_hash;
  result.root_root_hash = site.root_hash;
  result.profile = project.platform.profile.name;
  result.lock = lock;
  result.parts = base.parts;
  return result;
}

Result<bool> check_scripts_if_built(const Project& project, Reporter& reporter) {
  const auto& accounts = project.site.accounts;
  if (std::none_of(accounts.begin(), accounts.end(), [](const auto& account) { return account.sieve; }))
    return true;
  const auto lock = load_lock_for(project.platform, project.lock_file);
  if (!lock) return false;
  TRY(const auto part, find_public_part(project.platform, *lock));
  if (!part) return false;
  CHECK_OK(check_sieve_scripts(project.site, {project.platform, *lock, part->toolbox}, part->base, reporter));
  return true;
}

}  // namespace mailstead::pipeline
