// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys/check.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "base/files.hpp"
#include "base/program.hpp"
#include "base/run.hpp"
#include "keys/keys.hpp"
#include "keys/openssl.hpp"
#include "keys/update_key.hpp"
#include "text/split.hpp"

namespace mailstead::keys {
namespace {

namespace fs = std::filesystem;

constexpr int kWarnDays = 14;
constexpr int kLeastSecurityBits = 112;  // SSL_CTX_set_security_level(3), level 2
constexpr std::uint64_t kCertificateFileLimit = 1u << 20;
constexpr std::size_t kLongestChain = 20;

/// The certificates of the site and where to complain about them.
class TlsCheck {
 public:
  TlsCheck(const spec::Site& site, std::int64_t now, Findings& findings)
      : site_(site), tls_(site.tls), now_(now), findings_(findings) {}

  void run() {
    std::error_code ignored;
    if (!fs::exists(tls_.certificate, ignored) || !fs::exists(tls_.private_key, ignored)) return;
    // A group may read a key of the user's own (Debian's ssl-cert); `mailstead keys` makes none like that.
    const auto key = read_private_key(tls_.private_key.string(), own_files() ? 0077 : 0007);
    if (!key) key_error(key.error());
    const auto chain = read_chain();
    if (!chain || chain->empty()) return;
    check_leaf(*chain->front());
    check_times(*chain);
    if (key) check_pair(*chain, **key);
    check_order(*chain);
  }

 private:
  bool own_files() const { return tls_.mode == spec::TlsMode::self_signed; }

  Error certificate_error(std::string message, std::string hint = {}) const {
    return Error{ErrorKind::usage, std::move(message), tls_.certificate_place, std::move(hint), {}, {}};
  }
  void key_error(Error error) {
    error.place = tls_.private_key_place;
    findings_.errors.push_back(std::move(error));
  }
  /// What helps against a certificate that is wrong: another one.
  std::string replace_hint(std::string_view otherwise) const {
    if (!own_files()) return std::string(otherwise);
    return fmt::format("make a new one with `{} && {}`", shell_quote({"rm", tls_.certificate.string()}),
                       own_command({"keys", site_.file.string()}));
  }

  std::optional<std::vector<Certificate>> read_chain() {
    const auto report = [&](std::string message, std::string hint = {}) {
      findings_.errors.push_back(certificate_error(std::move(message), std::move(hint)));
      return std::nullopt;
    };
    const std::string path = tls_.certificate.string();
    const auto text = read_file(tls_.certificate, kCertificateFileLimit);
    if (!text) return report(text.error().message, text.error().hint);
    if (text->find("PRIVATE KEY-----") != std::string::npos) {
      return report(fmt::format("the certificate file {} holds a private key, too", path),
                    "keep the key in a file of its own, closed to others");
    }
    const Bio memory(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
    std::vector<Certificate> chain;
    ERR_clear_error();
    while (memory && chain.size() <= kLongestChain) {
      Certificate next(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
      if (!next) break;
      chain.push_back(std::move(next));
    }
    const unsigned long reason = ERR_peek_last_error();
    ERR_clear_error();
    if (chain.size() > kLongestChain)
      return report(fmt::format("{} holds more than {} certificates", path, kLongestChain),
                    "name the server's own chain, not a list of authorities");
    const bool at_end = ERR_GET_LIB(reason) == ERR_LIB_PEM && ERR_GET_REASON(reason) == PEM_R_NO_START_LINE;
    if (!at_end || chain.empty())
      return report(fmt::format("certificate {} in {} cannot be read", chain.size() + 1, path),
                    replace_hint("get the file again from its source"));
    return chain;
  }

  /// The names in the certificate, for people.
  static std::string names_in(const X509& certificate) {
    using Names = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
    const Names names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::string text;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
      if (name->type != GEN_DNS) continue;
      const std::string_view dns(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                                 static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
      // A certificate can hold any bytes: they are not to reach the terminal.
      const bool plain = dns.find_first_not_of(
                             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "*-._") == std::string_view::npos;
      text += (text.empty() ? "" : ", ") + (plain ? std::string(dns) : std::string("an invalid name"));
      if (text.size() > 200) return text + ", …";
    }
    return text;
  }

  void check_leaf(X509& leaf) {
    const std::string path = tls_.certificate.string();
    constexpr unsigned kFlags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    if (X509_check_host(&leaf, site_.hostname.c_str(), site_.hostname.size(), kFlags, nullptr) != 1) {
      const std::string names = names_in(leaf);
      findings_.errors.push_back(certificate_error(
          names.empty()
              ? fmt::format("the certificate {} has no alternative name, so it is not for {}", path,
                            site_.hostname)
              : fmt::format("the certificate {} is for {}, not for {}", path, names, site_.hostname),
          replace_hint("get one that has the host name as alternative name, or correct 'hostname'")));
    }
    if (X509_check_purpose(&leaf, X509_PURPOSE_SSL_SERVER, 0) != 1) {
      findings_.errors.push_back(
          certificate_error(fmt::format("the certificate {} is not for TLS servers", path),
                            replace_hint("name the server's own certificate, and first in the file")));
    }
    const EVP_PKEY* key = X509_get0_pubkey(&leaf);
    if (key == nullptr || EVP_PKEY_get_security_bits(key) < kLeastSecurityBits) {
      findings_.errors.push_back(certificate_error(
          fmt::format("the key of the certificate {} is too weak: the appliance would refuse it", path),
          replace_hint("get a certificate for a key of ECDSA P-256, or of RSA with 2048 bits or more")));
    }
    ERR_clear_error();
  }

  static std::string day(const ASN1_TIME* time) {
    std::tm fields{};
    if (ASN1_TIME_to_tm(time, &fields) != 1) return "an unreadable date";
    return fmt::format("{:04}-{:02}-{:02}", fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday);
  }

  void check_times(const std::vector<Certificate>& chain) {
    const std::string renew = replace_hint("renew it");
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const ASN1_TIME* begin = X509_get0_notBefore(chain[i].get());
      const ASN1_TIME* end = X509_get0_notAfter(chain[i].get());
      const std::string which = i == 0
                                    ? fmt::format("the certificate {}", tls_.certificate.string())
                                    : fmt::format("certificate {} in {}", i + 1, tls_.certificate.string());
      std::time_t at = now_;
      std::time_t soon = now_ + kWarnDays * 24 * 60 * 60;
      if (X509_cmp_time(begin, &at) > 0) {
        findings_.untimely.push_back(
            certificate_error(fmt::format("{} is not valid before {}", which, day(begin)),
                              "check the clock of this machine, or wait"));
      } else if (X509_cmp_time(end, &at) <= 0) {
        findings_.untimely.push_back(
            certificate_error(fmt::format("{} expired on {}", which, day(end)), renew));
      } else if (X509_cmp_time(end, &soon) <= 0) {
        findings_.warnings.push_back(
            certificate_error(fmt::format("{} expires on {}", which, day(end)), renew));
      }
    }
    ERR_clear_error();
  }

  void check_pair(const std::vector<Certificate>& chain, const EVP_PKEY& key) {
    const auto belongs = [&](const Certificate& certificate) {
      return X509_check_private_key(certificate.get(), &key) == 1;
    };
    const auto at = std::find_if(chain.begin(), chain.end(), belongs);
    ERR_clear_error();
    if (at == chain.begin()) return;
    if (at != chain.end()) {
      findings_.errors.push_back(
          certificate_error(fmt::format("the server's own certificate is number {} in {}",
                                        at - chain.begin() + 1, tls_.certificate.string()),
                            "put it first, and after each certificate that of its issuer"));
      return;
    }
    key_error({ErrorKind::usage,
               fmt::format("the private key {} does not belong to the certificate {}",
                           tls_.private_key.string(), tls_.certificate.string()),
               {},
               replace_hint("name the key that the certificate was made for"),
               {},
               {}});
  }

  /// Only a warning: mail programs that know the issuer get along without it.
  void check_order(const std::vector<Certificate>& chain) {
    const std::string path = tls_.certificate.string();
    if (chain.size() == 1 &&
        X509_NAME_cmp(X509_get_subject_name(chain[0].get()), X509_get_issuer_name(chain[0].get())) != 0) {
      findings_.warnings.push_back(certificate_error(
          fmt::format("{} holds the server's certificate without its issuer's", path),
          "mail programs will refuse it unless they know the issuer: name the whole chain (fullchain.pem)"));
    }
    for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
      const EVP_PKEY* issuer = X509_get0_pubkey(chain[i + 1].get());
      const bool issued = X509_check_issued(chain[i + 1].get(), chain[i].get()) == X509_V_OK &&
                          issuer != nullptr &&
                          X509_verify(chain[i].get(), const_cast<EVP_PKEY*>(issuer)) == 1;
      if (issued) continue;
      findings_.warnings.push_back(certificate_error(
          fmt::format("certificate {} in {} was not issued by certificate {}", i + 1, path, i + 2),
          "put the server's own first, and after each certificate that of its issuer"));
    }
    ERR_clear_error();
  }

  const spec::Site& site_;
  const spec::Tls& tls_;
  const std::int64_t now_;
  Findings& findings_;
};

/// The image knows the public half alone: with another one, no update would be accepted any more.
void check_update_key(const spec::Updates& updates, Findings& findings) {
  std::error_code ignored;
  if (!updates.ssh || !fs::exists(updates.private_key, ignored) || !fs::exists(updates.public_key, ignored))
    return;
  const auto own = public_half(updates.private_key);
  if (!own) {
    // ssh-keygen(1) does not run for a user without a name, or without memory: no reason not to build.
    (own.error().kind == ErrorKind::usage ? findings.errors : findings.warnings).push_back(own.error());
    return;
  }
  // The type and the key; what follows is a comment.
  // Its kind and the key itself; a comment may follow.
  const auto key_of = [](const std::string& line) {
    std::vector<std::string_view> words =
        text::split_words(std::string_view(line).substr(0, line.find('\n')));
    words.resize(std::min<std::size_t>(words.size(), 2));
    return words;
  };
  const auto line = read_file(updates.public_key, kCertificateFileLimit);
  if (line && !own->empty() && !line->empty() && key_of(*line) == key_of(*own)) return;
  findings.errors.push_back({ErrorKind::usage,
                             fmt::format("{} is not the public half of {}", updates.public_key.string(),
                                         updates.private_key.string()),
                             {},
                             fmt::format("remove it, and run `{}`", own_command({"keys", "SPEC"})),
                             {},
                             {}});
}

}  // namespace

Findings check_keys(const spec::Site& site, std::int64_t now) {
  Findings findings;
  for (const spec::Domain& domain : site.domains) {
    for (spec::DkimKey key : domain.dkim) {
      key.private_key = site.folder / key.private_key;
      std::error_code ignored;
      if (!fs::exists(key.private_key, ignored)) continue;
      if (auto record = dkim_record(key); !record) findings.errors.push_back(std::move(record).error());
    }
  }
  TlsCheck(site, now, findings).run();
  check_update_key(site.updates, findings);
  return findings;
}

}  // namespace mailstead::keys
