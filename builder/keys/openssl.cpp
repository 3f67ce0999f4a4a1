// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys/openssl.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/files.hpp"
#include "base/ownership.hpp"
#include "base/program.hpp"

namespace mailstead::keys {
namespace {

constexpr std::size_t kKeyFileLimit = 64 * 1024;

/// The contents of a key file. Everything is asked of the open descriptor, so that the file which was checked
/// is the file which is read. O_NONBLOCK: a FIFO in the place of a key must not hang the build.
Result<Secret> read_key_file(const std::string& path, unsigned closed_to) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) {
    const int reason = errno;
    return fail(reason == ENOENT ? ErrorKind::usage : ErrorKind::io,
                fmt::format("cannot read the key {}: {}", path, std::strerror(reason)),
                reason == ENOENT ? fmt::format("make the missing keys with `{}`, or put the file back",
                                               own_command({"keys", "SPEC"}))
                                 : "");
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0)
    return fail(ErrorKind::io, fmt::format("cannot examine the key {}: {}", path, std::strerror(errno)));
  if (!S_ISREG(status.st_mode))
    return fail(ErrorKind::usage, fmt::format("the key {} is not a regular file", path));
  if ((status.st_mode & closed_to) != 0)
    return fail(
        ErrorKind::usage,
        fmt::format("the private key {} is open to other users (mode {:04o})", path, status.st_mode & 07777),
        closing_hint(path, path));
  // One block of the full size from the start: a growing string would leave copies of the key behind.
  std::string bytes(kKeyFileLimit + 1, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int reason = errno;
      OPENSSL_cleanse(bytes.data(), bytes.size());
      return fail(ErrorKind::io, fmt::format("cannot read the key {}: {}", path, std::strerror(reason)));
    }
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kKeyFileLimit) {
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return fail(ErrorKind::usage, fmt::format("the key {} is larger than 64 KiB", path));
  }
  bytes.resize(size);
  return Secret(std::move(bytes));
}

/// Without this, OpenSSL would ask for the passphrase of an encrypted key on the terminal.
int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

Error openssl_error(std::string what) {
  std::string reasons;
  while (const unsigned long code = ERR_get_error()) {
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    reasons += (reasons.empty() ? ": " : "; ") + std::string(text);
  }
  return Error{ErrorKind::internal, std::move(what) + reasons, {}, {}, {}, {}};
}

Result<Secret> private_key_pem(const EVP_PKEY& key) {
  const Bio memory(BIO_new(BIO_s_secmem()));  // cleansed when freed
  if (!memory ||
      PEM_write_bio_PKCS8PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return fail(openssl_error("cannot encode a private key"));
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return Secret(std::string(data, static_cast<std::size_t>(size)));
}

Result<PKey> read_private_key(const std::string& path, unsigned closed_to) {
  TRY(const Secret pem, read_key_file(path, closed_to));
  const Bio memory(BIO_new_mem_buf(pem.view().data(), static_cast<int>(pem.view().size())));
  if (!memory) return fail(openssl_error("cannot read a private key"));
  bool encrypted = false;
  ERR_clear_error();
  PKey key(PEM_read_bio_PrivateKey(memory.get(), nullptr, refuse_passphrase, &encrypted));
  ERR_clear_error();
  if (encrypted)
    return fail(ErrorKind::usage, fmt::format("the private key {} is encrypted", path),
                fmt::format("decrypt it with `openssl pkey`, or move it away and make a new one with `{}`",
                            own_command({"keys", "SPEC"})));
  if (!key)
    return fail(ErrorKind::usage, fmt::format("{} is not a private key in PEM form", path),
                fmt::format("restore it from a backup, or move it away and make a new one with `{}`",
                            own_command({"keys", "SPEC"})));
  return key;
}

}  // namespace mailstead::keys
