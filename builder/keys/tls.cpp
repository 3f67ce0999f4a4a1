// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys/tls.hpp"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace mailstead::keys {
namespace {

using BigNumber = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using GeneralNames = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

constexpr long kDay = 24 * 60 * 60;
/// Apple's systems refuse server certificates that are valid for longer, their owner's own included
/// (https://support.apple.com/en-us/103769). Each build of an image can warn before the end.
constexpr int kValidDays = 825;
constexpr std::size_t kLongestCommonName = 64;  // ub-common-name, RFC 5280 appendix A.1

bool set_serial(X509& certificate) {
  const BigNumber serial(BN_new());
  return serial && BN_rand(serial.get(), 128, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

/// Clients look at the alternative name; the common name is there for people, and a long host name does not
/// fit in it.
bool set_subject(X509& certificate, const std::string& hostname) {
  const std::string shown = hostname.size() <= kLongestCommonName ? hostname : "Mailstead";
  X509_NAME* subject = X509_get_subject_name(&certificate);
  return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(shown.data()),
                                    static_cast<int>(shown.size()), -1, 0) == 1 &&
         X509_set_issuer_name(&certificate, subject) == 1;
}

/// Built by hand: OpenSSL's text form of extensions gives commas and colons in a name a meaning.
bool add_alternative_name(X509& certificate, const std::string& hostname) {
  const GeneralNames names(GENERAL_NAMES_new());
  if (!names) return false;
  ASN1_IA5STRING* text = ASN1_IA5STRING_new();
  GENERAL_NAME* name = GENERAL_NAME_new();
  if (text == nullptr || name == nullptr ||
      ASN1_STRING_set(text, hostname.data(), static_cast<int>(hostname.size())) != 1) {
    ASN1_IA5STRING_free(text);
    GENERAL_NAME_free(name);
    return false;
  }
  GENERAL_NAME_set0_value(name, GEN_DNS, text);  // owns the text from here on
  if (sk_GENERAL_NAME_push(names.get(), name) == 0) {
    GENERAL_NAME_free(name);
    return false;
  }
  return X509_add1_ext_i2d(&certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool add_extension(X509& certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

}  // namespace

Result<PKey> new_tls_key() {
  ERR_clear_error();
  PKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(2048)));
  if (!key) return fail(openssl_error("cannot make a TLS key"));
  return key;
}

Result<std::string> self_signed_certificate(EVP_PKEY& key, const std::string& hostname) {
  ERR_clear_error();
  const Certificate certificate(X509_new());
  // The second is for old suites of RSA, and never for ECDSA (RFC 8813 section 3).
  const char* usage = EVP_PKEY_is_a(&key, "RSA") == 1 ? "critical,digitalSignature,keyEncipherment"
                                                      : "critical,digitalSignature";
  const bool made =
      certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 && set_serial(*certificate) &&
      set_subject(*certificate, hostname) &&
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDay) != nullptr &&
      X509_time_adj_ex(X509_getm_notAfter(certificate.get()), kValidDays - 1, -1, nullptr) != nullptr &&
      X509_set_pubkey(certificate.get(), &key) == 1 && add_alternative_name(*certificate, hostname) &&
      add_extension(*certificate, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(*certificate, NID_key_usage, usage) &&
      add_extension(*certificate, NID_ext_key_usage, "serverAuth") &&
      add_extension(*certificate, NID_subject_key_identifier, "hash") &&
      X509_sign(certificate.get(), &key, EVP_sha256()) > 0;
  if (!made) return fail(openssl_error("cannot make the TLS certificate of " + hostname));

  const Bio memory(BIO_new(BIO_s_mem()));
  if (!memory || PEM_write_bio_X509(memory.get(), certificate.get()) != 1)
    return fail(openssl_error("cannot encode the TLS certificate of " + hostname));
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace mailstead::keys
