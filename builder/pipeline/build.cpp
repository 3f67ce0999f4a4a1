// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/build.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <future>

#include "base/output.hpp"
#include "base/program.hpp"
#include "base/run.hpp"
#include "base/threads.hpp"
#include "crypto/digest.hpp"
#include "keys/keys.hpp"
#include "pipeline/provenance.hpp"
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

/// The file that becomes the image `name`. A slip of the hand must not cost a spec, a lock or a letter.
Result<fs::path> image_file(const fs::path& name) {
  TRY(fs::path file, output_file(name));
  std::error_code error;
  if (!fs::exists(file, error) || fs::file_size(file, error) == 0 || image::looks_like_disk(file))
    return file;
  return fail(ErrorKind::usage,
              fmt::format("{} exists and is not a disk image, so it is not overwritten", name.string()),
              "name another file, or remove this one");
}

/// Where the results go, symbolic links followed.
struct Places {
  fs::path image;
  fs::path provenance;  ///< empty: it is not asked for
};

Result<Places> places_of(const fs::path& image, const fs::path& provenance) {
  Places places;
  TRY(places.image, image_file(image));
  if (provenance.empty()) return places;
  TRY(places.provenance, document_file(provenance));
  const auto absolute = [](const fs::path& path) { return fs::absolute(path).lexically_normal(); };
  if (absolute(places.image) != absolute(places.provenance)) return places;
  return fail(ErrorKind::usage, "the image and its provenance have the same name", "name another file");
}

}  // namespace

Result<BuildResult> build(const BuildRequest& request, const Options& options, Reporter& reporter) {
  BuildResult result;
  TRY(const Project project, open_project(request.spec, options));
  result.image = request.image.empty() ? fs::path(project.site.hostname + ".img") : request.image;
  result.spec_sha256 = project.spec_sha256;
  // To miss them after minutes of downloads would be unkind.
  CHECK_OK(require_keys(project.site,
                        fmt::format("`{}` makes them", own_command({"keys", project.site.file.string()}))));
  CHECK_OK(check_keys(project, options, Untimely::warn, reporter));
  warn_of_choices(project, reporter);
  result.files = project.site.files;
  TRY(result.keys, public_keys(project.site));
  TRY(const Places places, places_of(result.image, request.provenance));
  TRY(const lock::Lock lock, get_lock(project, options, reporter));
  warn_of_security_updates(subject_of(lock),
                           fmt::format("`{}` pins the fixed versions",
                                       own_command({"lock", project.site.file.string(), "--update"})),
                           options, reporter);
  TRY(PublicPart part,
      get_public_part(project.platform, lock, project.site.file.string(), options, reporter));
  const Base& base = part.base;
  // Half a gigabyte on the disk, which the kernel needs a moment to take back.
  [[maybe_unused]] const auto released = beside([&] { part.unpacked.reset(); });
  const BaseInput input{project.platform, lock, part.toolbox};
  // Beside the site's files: both wait for the disk more than for a processor.
  auto scripts = beside([&] { return check_sieve_scripts(project.site, input, base, reporter); });
  TRY(const SiteImage site,
      write_site_image(project.site, input, base, places.image, [&] { return scripts.get(); }, reporter));

  struct stat status{};
  if (::stat(places.image.c_str(), &status) == 0) {
    result.size = static_cast<std::uint64_t>(status.st_size);
    result.allocated = static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  result.base = base.id;
  result.usr_root_hash = base.usr.root_hash;
  result.root_root_hash = site.root_hash;
  result.profile = project.platform.profile.name;
  result.lock = lock;
  result.parts = base.parts;
  if (!places.provenance.empty())
    CHECK_OK(write_provenance(request.spec, result, places.provenance, reporter));
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
