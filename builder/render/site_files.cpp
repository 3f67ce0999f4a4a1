// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/site_files.hpp"

#include <fmt/format.h>

#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "base/files.hpp"
#include "base/program.hpp"
#include "crypto/public_key.hpp"
#include "delivery/graph.hpp"
#include "render/cdb_file.hpp"
#include "render/context.hpp"
#include "render/mail_maps.hpp"
#include "spec/formats.hpp"
#include "text/base64.hpp"

namespace mailstead::render {
namespace {

constexpr std::uint64_t kLargestKey = 1 << 20;  // bytes; real ones have a few thousand
constexpr const char* kRemote = "/usr/lib/mailstead/remote";
constexpr const char* kZones = "usr/share/zoneinfo";

/// A DKIM key as Rspamd reads it: RSA as PEM; Ed25519, which it does not know in PEM, as the base64 of the 32
/// octets that follow a fixed header in PKCS#8 (RFC 8410 section 7).
Result<std::string> signing_key(const spec::DkimKey& key, std::string pem,
                                const std::filesystem::path& spec) {
  if (key.algorithm != spec::DkimAlgorithm::ed25519) return pem;
  constexpr std::string_view kBegin = "-----BEGIN PRIVATE KEY-----";
  constexpr std::string_view kEnd = "-----END PRIVATE KEY-----";
  constexpr std::string_view kHeader("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);
  constexpr std::size_t kSeed = 32;
  const std::size_t begin = pem.find(kBegin);
  const std::size_t end = pem.find(kEnd);
  if (begin != std::string::npos && end != std::string::npos && begin < end) {
    std::string text = pem.substr(begin + kBegin.size(), end - begin - kBegin.size());
    std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
    const auto der = text::from_base64(text);
    if (der && der->size() == kHeader.size() + kSeed && der->starts_with(kHeader))
      return text::to_base64(std::string_view(*der).substr(kHeader.size())) + "\n";
  }
  return fail(ErrorKind::usage,
              fmt::format("{} is not an Ed25519 key in PKCS#8 form", key.private_key.string()),
              fmt::format("remove it and run `{}`", own_command({"keys", spec.string()})));
}

class Writer {
 public:
  Writer(const spec::Site& site, std::int64_t clock, rootfs::FileTree& tree)
      : site_(site), clock_(clock), tree_(tree) {}

  Status put(const std::string& path, std::string bytes, std::uint32_t mode = 0644) {
    rootfs::Inode inode;
    inode.mode = mode;
    inode.mtime = clock_;
    inode.origin = "site";
    inode.content = rootfs::Content(std::move(bytes));
    return tree_.put(path, std::move(inode));
  }

  Status names(const rootfs::FileTree& units) {
    CHECK_OK(put("etc/hostname", site_.hostname + "\n"));
    CHECK_OK(put("etc/mailname", site_.hostname + "\n"));
    const std::string zone = std::string(kZones) + "/" + site_.time_zone;
    if (units.find(kZones) != nullptr && units.find(zone) == nullptr)
      return fail(ErrorKind::usage, fmt::format("there is no time zone '{}'", site_.time_zone),
                  "use a name from the tz database, such as Europe/Berlin");
    return tree_.put("etc/localtime", rootfs::symlink_inode("../" + zone, clock_, "site"));
  }

  Status keys() {
    const std::string hint = site_.tls.mode == spec::TlsMode::self_signed
                                 ? fmt::format("run `{}`", own_command({"keys", site_.file.string()}))
                                 : "correct the path under 'tls' in the spec";
    TRY(std::string certificate, key_file(site_.tls.certificate, "the TLS certificate", hint));
    CHECK_OK(put(kCertificatePath, std::move(certificate)));
    TRY(std::string private_key, key_file(site_.tls.private_key, "the TLS key", hint));
    CHECK_OK(put(kPrivateKeyPath, std::move(private_key), 0600));
    for (const spec::Domain& domain : site_.domains)
      for (const spec::DkimKey& key : domain.dkim) {
        TRY(std::string pem, key_file(site_.folder / key.private_key,
                                      fmt::format("the DKIM key {} of {}", key.selector, domain.name),
                                      fmt::format("run `{}`", own_command({"keys", site_.file.string()}))));
        auto public_pem = crypto::public_key_pem(pem);
        if (!public_pem)
          return fail(ErrorKind::usage,
                      fmt::format("{} is not a private key that can be read",
                                  (site_.folder / key.private_key).string()),
                      fmt::format("remove it and run `{}`", own_command({"keys", site_.file.string()})));
        CHECK_OK(put(dkim_public_key_path(domain, key), *std::move(public_pem)));
        TRY(std::string bytes, signing_key(key, std::move(pem), site_.file));
        CHECK_OK(put(dkim_key_path(domain, key), std::move(bytes), 0600));
      }
    return ok();
  }

  /// Who may update: a line for sshd, and one for ssh-keygen(1), -Y verify.
  Status update_key() {
    if (!site_.updates.ssh) return ok();
    const std::string path = site_.updates.public_key.string();
    TRY(const std::string line,
        key_file(path, "the public key of updates",
                 fmt::format("run `{}`", own_command({"keys", site_.file.string()}))));
    // Not the rest of the line: what stands around the key would be options.
    std::istringstream words(line);
    std::string type;
    std::string key;
    words >> type >> key;
    if (type != "ssh-ed25519" || !spec::parse_authorized_key(type + " " + key))
      return fail(ErrorKind::usage, fmt::format("{} is not an Ed25519 public key of OpenSSH", path),
                  fmt::format("remove it and run `{}`", own_command({"keys", site_.file.string()})));
    CHECK_OK(put("etc/ssh/authorized_keys.d/root.updates",
                 fmt::format("restrict,command=\"{}\" {} {}\n", kRemote, type, key)));
    return put("etc/mailstead/update-signers",
               fmt::format("updates namespaces=\"mailstead-update\" {} {}\n", type, key));
  }

  Status sieve_scripts() {
    for (const spec::Account& account : site_.accounts)
      if (account.sieve) CHECK_OK(put(sieve_path(account), *account.sieve));
    return ok();
  }

  Status maps() {
    const MailMaps maps = make_mail_maps(delivery::make_graph(site_));
    const std::pair<const char*, const Entries&> files[] = {
        {"virtual_mailbox_domains", maps.virtual_mailbox_domains},
        {"virtual_mailbox_maps", maps.virtual_mailbox_maps},
        {"virtual_alias_domains", maps.virtual_alias_domains},
        {"virtual_alias_maps", maps.virtual_alias_maps},
        {"smtpd_sender_login_maps", maps.smtpd_sender_login_maps},
        {"send_only_recipients", maps.send_only_recipients},
    };
    for (const auto& [name, entries] : files) {
      TRY(std::string bytes, make_cdb(entries));
      CHECK_OK(put(fmt::format("etc/postfix/{}.cdb", name), std::move(bytes)));
    }
    return ok();
  }

 private:
  static Result<std::string> key_file(const std::filesystem::path& path, const std::string& what,
                                      const std::string& hint) {
    auto text = read_file(path, kLargestKey);
    if (text) return text;
    return fail(ErrorKind::usage, fmt::format("{} is missing: {}", what, text.error().message), hint);
  }

  const spec::Site& site_;
  std::int64_t clock_;
  rootfs::FileTree& tree_;
};

}  // namespace

Status write_site_files(const spec::Site& site, std::int64_t clock, const rootfs::FileTree& units,
                        rootfs::FileTree& tree) {
  Writer writer(site, clock, tree);
  CHECK_OK(writer.names(units));
  CHECK_OK(writer.keys());
  CHECK_OK(writer.update_key());
  CHECK_OK(writer.sieve_scripts());
  return writer.maps();
}

}  // namespace mailstead::render
