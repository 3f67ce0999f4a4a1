// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys/keys.hpp"

#include <fmt/format.h>

#include "keys/dkim.hpp"
#include "keys/store.hpp"
#include "keys/tls.hpp"
#include "keys/update_key.hpp"

namespace mailstead::keys {
namespace {

namespace fs = std::filesystem;

/// Creates the file unless its name is taken, and notes it in `made`. A symbolic link to nothing takes the
/// name, too: what it should point to (a disk that is not mounted?) must not be replaced by a new key.
Status create(const fs::path& path, std::string_view data, std::vector<fs::path>& made) {
  TRY(const bool created, create_private_file(path, data));
  if (created) made.push_back(path);
  return ok();
}

Status refuse_dangling_link(const fs::path& path) {
  std::error_code error;
  if (!name_taken(path) || fs::exists(path, error)) return ok();
  return fail(ErrorKind::usage,
              fmt::format("{} is a symbolic link to a file that cannot be reached", path.string()),
              "make its target available (is a disk not mounted?), or remove the link");
}

Status make_dkim_key(const fs::path& path, spec::DkimAlgorithm algorithm, std::vector<fs::path>& made) {
  CHECK_OK(refuse_dangling_link(path));
  if (name_taken(path)) return ok();
  TRY(const Secret pem, new_dkim_key(algorithm));
  return create(path, pem.view(), made);
}

/// The key first, then the certificate for the key that now has the name (another run may have been faster).
/// A certificate that was removed because it expires is made again for the same key, so that clients and TLSA
/// records (RFC 6698) which know the key go on trusting it.
Status make_tls(const spec::Site& site, std::vector<fs::path>& made) {
  CHECK_OK(refuse_dangling_link(site.tls.private_key));
  CHECK_OK(refuse_dangling_link(site.tls.certificate));
  const bool has_certificate = name_taken(site.tls.certificate);
  if (!name_taken(site.tls.private_key)) {
    if (has_certificate)
      return fail(ErrorKind::usage,
                  fmt::format("there is a certificate {}, but its key {} is missing",
                              site.tls.certificate.string(), site.tls.private_key.string()),
                  "put the key back, or remove the certificate so that both are made anew");
    TRY(const PKey key, new_tls_key());
    TRY(const Secret pem, private_key_pem(*key));
    CHECK_OK(create(site.tls.private_key, pem.view(), made));
  }
  if (has_certificate) return ok();
  TRY(const PKey key, read_private_key(site.tls.private_key.string()));
  TRY(const std::string certificate, self_signed_certificate(*key, site.hostname));
  return create(site.tls.certificate, certificate, made);
}

/// A public half without the private one is left alone: who builds images need not be who updates machines.
Status make_update_key(const spec::Site& site, std::vector<fs::path>& made) {
  const spec::Updates& updates = site.updates;
  CHECK_OK(refuse_dangling_link(updates.private_key));
  CHECK_OK(refuse_dangling_link(updates.public_key));
  if (name_taken(updates.public_key)) return ok();
  if (!name_taken(updates.private_key)) {
    TRY(const UpdateKey key, new_update_key(site.hostname));
    CHECK_OK(create(updates.private_key, key.private_key.view(), made));
  }
  // Of the one that now has the name: another run may have been faster.
  TRY(const std::string line, public_half(updates.private_key));
  return create(updates.public_key, line, made);
}

/// The lock and the spec belong in git, the folder beside them does not: git looks into it for this file. One
/// that is there is left as it is.
Status keep_out_of_git(const fs::path& secrets) {
  std::error_code error;
  if (!fs::is_directory(secrets, error)) return ok();
  TRY([[maybe_unused]] const bool made, create_private_file(secrets / ".gitignore", "*\n"));
  return ok();
}

}  // namespace

Result<std::vector<fs::path>> make_missing_keys(const spec::Site& site) {
  std::vector<fs::path> made;
  for (const auto& domain : site.domains)
    for (const auto& key : domain.dkim)
      CHECK_OK(make_dkim_key(site.folder / key.private_key, key.algorithm, made));
  if (site.tls.mode == spec::TlsMode::self_signed) CHECK_OK(make_tls(site, made));
  if (site.updates.ssh) CHECK_OK(make_update_key(site, made));
  CHECK_OK(keep_out_of_git(site.folder / spec::kSecrets));
  return made;
}

std::vector<fs::path> missing_keys(const spec::Site& site) {
  std::vector<fs::path> missing;
  const auto note_if_missing = [&](const fs::path& path) {
    std::error_code error;
    if (!fs::exists(path, error)) missing.push_back(path);
  };
  for (const auto& domain : site.domains)
    for (const auto& key : domain.dkim) note_if_missing(site.folder / key.private_key);
  note_if_missing(site.tls.certificate);
  note_if_missing(site.tls.private_key);
  if (site.updates.ssh) note_if_missing(site.updates.public_key);
  return missing;
}

}  // namespace mailstead::keys
