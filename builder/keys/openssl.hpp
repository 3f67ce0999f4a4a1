// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

// What the folder shares around OpenSSL 3. Only the EVP interface is used; nothing that 3.0 marks as
// deprecated.
namespace mailstead::keys {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using PKey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;

/// Bytes of a key or a password, overwritten with zeros when they go. Not copied, so that no second copy
/// stays behind.
class Secret {
 public:
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  ~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.cleanse(); }
  Secret& operator=(Secret&&) = delete;
  Secret(const Secret&) = delete;
  std::string_view view() const { return bytes_; }
  const char* c_str() const { return bytes_.c_str(); }

 private:
  // A short string is moved by copying its characters: wipe the one that was left behind.
  void cleanse() {
    bytes_.resize(bytes_.capacity());
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
  }
  std::string bytes_;
};

/// An ErrorKind::internal error with what OpenSSL has queued; empties the queue.
Error openssl_error(std::string what);

/// "BEGIN PRIVATE KEY" (PKCS#8, RFC 5208), not encrypted: the appliance has nobody who could type a
/// passphrase.
Result<Secret> private_key_pem(const EVP_PKEY& key);

/// Reads an unencrypted private key in PEM form. `path` may be a symbolic link. `closed_to` are the
/// permission bits that the file must not have: by default those of the group and of all others. Errors
/// (ErrorKind::usage): the file is not there, not a regular file, larger than 64 KiB, open to others,
/// encrypted, or not a private key.
Result<PKey> read_private_key(const std::string& path, unsigned closed_to = 077);

}  // namespace mailstead::keys
