// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys/dkim.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <array>
#include <cstddef>
#include <vector>

#include "base/program.hpp"
#include "keys/keys.hpp"
#include "text/base64.hpp"

namespace mailstead::keys {
namespace {

using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;

constexpr int kLeastRsaBits = 2048;  // what the appliance promises; RFC 8301 demands 1024 and advises 2048
constexpr int kMostRsaBits = 4096;   // RFC 8301 section 3.2: verifiers need not take longer keys

/// SubjectPublicKeyInfo in DER (RFC 5280 section 4.1), which "openssl pkey -pubout -outform DER" prints too.
Result<std::string> subject_public_key_info(const EVP_PKEY& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(&key, &der);
  if (size <= 0) return fail(openssl_error("cannot encode a public key"));
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

/// Signs with the private part and verifies with the public part that is to be published: a file whose halves
/// do not belong together (damaged, or pasted from two) would otherwise only be noticed by the receivers of
/// the mail.
Status check_halves(EVP_PKEY& key, std::string_view public_der, const EVP_MD* digest,
                    const std::string& path) {
  static constexpr std::string_view kProbe = "mailstead";
  const auto* probe = reinterpret_cast<const unsigned char*>(kProbe.data());
  const auto* der = reinterpret_cast<const unsigned char*>(public_der.data());
  const PKey published(d2i_PUBKEY(nullptr, &der, static_cast<long>(public_der.size())));
  const DigestContext signer(EVP_MD_CTX_new());
  const DigestContext verifier(EVP_MD_CTX_new());
  std::vector<unsigned char> signature(static_cast<std::size_t>(EVP_PKEY_get_size(&key)));
  std::size_t size = signature.size();
  const bool matches = published && signer && verifier &&
                       EVP_DigestSignInit(signer.get(), nullptr, digest, nullptr, &key) == 1 &&
                       EVP_DigestSign(signer.get(), signature.data(), &size, probe, kProbe.size()) == 1 &&
                       EVP_DigestVerifyInit(verifier.get(), nullptr, digest, nullptr, published.get()) == 1 &&
                       EVP_DigestVerify(verifier.get(), signature.data(), size, probe, kProbe.size()) == 1;
  ERR_clear_error();
  if (matches) return ok();
  return fail(ErrorKind::usage, fmt::format("the DKIM key {} is damaged: its signatures do not verify", path),
              fmt::format("restore it from a backup, or move it away and make a new one with `{}`",
                          own_command({"keys", "SPEC"})));
}

Result<std::string> rsa_record(EVP_PKEY& key, const std::string& path) {
  const int bits = EVP_PKEY_get_bits(&key);
  if (bits < kLeastRsaBits || bits > kMostRsaBits)
    return fail(ErrorKind::usage,
                fmt::format("the DKIM key {} has {} bits; it must have {} to {}", path, bits, kLeastRsaBits,
                            kMostRsaBits),
                fmt::format("give the domain a new 'selector' in the spec, then make its key with `{}`",
                            own_command({"keys", "SPEC"})));
  TRY(const std::string der, subject_public_key_info(key));
  CHECK_OK(check_halves(key, der, EVP_sha256(), path));
  return "v=DKIM1; k=rsa; p=" + text::to_base64(der);
}

Result<std::string> ed25519_record(EVP_PKEY& key, const std::string& path) {
  TRY(const std::string der, subject_public_key_info(key));
  CHECK_OK(check_halves(key, der, nullptr, path));
  std::array<unsigned char, 32> raw{};  // RFC 8463 section 4: the bare key, not SubjectPublicKeyInfo
  std::size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(&key, raw.data(), &size) != 1 || size != raw.size())
    return fail(openssl_error("cannot encode a public key"));
  return "v=DKIM1; k=ed25519; p=" + text::to_base64({reinterpret_cast<const char*>(raw.data()), raw.size()});
}

}  // namespace

Result<Secret> new_dkim_key(spec::DkimAlgorithm algorithm) {
  ERR_clear_error();
  const PKey key(
      algorithm == spec::DkimAlgorithm::rsa2048
          ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(2048))  // e is 65537
          : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) return fail(openssl_error("cannot make a DKIM key"));
  return private_key_pem(*key);
}

Result<std::string> dkim_record(const spec::DkimKey& key) {
  const std::string path = key.private_key.string();
  TRY(const PKey pkey, read_private_key(path));
  const bool rsa = key.algorithm == spec::DkimAlgorithm::rsa2048;
  if (EVP_PKEY_is_a(pkey.get(), rsa ? "RSA" : "ED25519") != 1) {
    const char* found = EVP_PKEY_get0_type_name(pkey.get());
    return fail(ErrorKind::usage,
                fmt::format("the DKIM key {} is a key for {}, but the spec requires {}", path,
                            found != nullptr ? found : "an unknown algorithm", rsa ? "RSA" : "Ed25519"),
                "correct 'algorithms' of the domain in the spec, or move the key away and make a new one");
  }
  return rsa ? rsa_record(*pkey, path) : ed25519_record(*pkey, path);
}

}  // namespace mailstead::keys
