// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/public_key.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <memory>

namespace mailstead::crypto {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

/// Without this, OpenSSL would ask for the passphrase of an encrypted key on the terminal.
int refuse_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

Result<std::string> public_key_pem(std::string_view private_pem) {
  const std::unique_ptr<BIO, Free> in(
      BIO_new_mem_buf(private_pem.data(), static_cast<int>(private_pem.size())));
  const std::unique_ptr<EVP_PKEY, Free> key(
      in ? PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_passphrase, nullptr) : nullptr);
  const std::unique_ptr<BIO, Free> out(BIO_new(BIO_s_mem()));
  const bool written = key && out && PEM_write_bio_PUBKEY(out.get(), key.get()) == 1;
  ERR_clear_error();
  if (!written) return fail(ErrorKind::usage, "this is not a private key in PEM form that can be read");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace mailstead::crypto
