// SPDX-License-Identifier: GPL-3.0-or-later
#include <crypt.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>

#include "keys/keys.hpp"
#include "keys/openssl.hpp"

namespace mailstead::keys {
namespace {

/// crypt(3)'s working memory holds the password: wiped before it is freed.
struct CleanseWork {
  void operator()(crypt_data* work) const {
    OPENSSL_cleanse(work, sizeof *work);
    delete work;
  }
};

/// Rows of neighbours: as the alphabet and the keyboard have them.
constexpr std::string_view kRows =
    "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiopasdfghjklzxcvbnm qwertzuiopasdfghjklyxcvbnm";

/// How many of the characters follow the one before them in a row, in either direction, or repeat it.
std::size_t predictable_steps(std::string_view text) {
  std::size_t steps = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const std::string pair(text.substr(i - 1, 2));
    const std::string back(pair.rbegin(), pair.rend());
    steps += pair[0] == pair[1] || kRows.find(pair) != std::string_view::npos ||
                     kRows.find(back) != std::string_view::npos
                 ? 1
                 : 0;
  }
  return steps;
}

}  // namespace

std::string password_weakness(std::string_view password) {
  constexpr std::size_t kShort = 10;
  constexpr std::size_t kShortDigits = 16;
  constexpr std::size_t kFewDifferent = 5;
  std::string lower(password);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto characters =
      static_cast<std::size_t>(std::count_if(password.begin(), password.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
      }));
  if (characters < kShort)
    return fmt::format("the password has only {} character{}", characters, characters == 1 ? "" : "s");
  if (std::set<char>(lower.begin(), lower.end()).size() < kFewDifferent)
    return "the password repeats a few characters";
  if (characters < kShortDigits && lower.find_first_not_of("0123456789") == std::string::npos)
    return "the password has only digits";
  if (predictable_steps(lower) * 2 >= characters) return "the password is a row of neighbouring characters";
  return {};
}

Result<std::string> hash_password(std::string_view password) {
  if (password.empty()) return fail(ErrorKind::usage, "the password is empty");
  if (password.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos)
    return fail(ErrorKind::usage,
                "the password holds a NUL character or a line end, which no mail client can send");
  if (password.size() >= CRYPT_MAX_PASSPHRASE_SIZE)
    return fail(ErrorKind::usage,
                fmt::format("the password is longer than {} bytes", CRYPT_MAX_PASSPHRASE_SIZE - 1));

  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  // Cost 0 is the library's default; without random bytes given, it takes them from the system.
  if (crypt_gensalt_rn("$y$", 0, nullptr, 0, setting, sizeof setting) == nullptr)
    return fail(ErrorKind::internal, fmt::format("cannot make a salt: {}", std::strerror(errno)));

  const Secret phrase{std::string(password)};  // crypt wants a NUL at the end
  const std::unique_ptr<crypt_data, CleanseWork> work(new crypt_data{});
  const char* hash = crypt_rn(phrase.c_str(), setting, work.get(), sizeof *work);
  if (hash == nullptr || std::strncmp(hash, "$y$", 3) != 0)
    return fail(ErrorKind::internal, fmt::format("cannot hash the password: {}", std::strerror(errno)));
  return std::string(hash);
}

Result<std::string> generate_password() {
  // Without 0, 1, l and o; 32 of them, so that each is as likely as the others.
  constexpr std::string_view kAlphabet = "23456789abcdefghijkmnpqrstuvwxyz";
  static_assert(kAlphabet.size() == 32);
  std::array<std::uint8_t, 16> random{};
  if (RAND_bytes(random.data(), random.size()) != 1) return fail(openssl_error("cannot get random bytes"));
  std::string password;
  for (std::size_t i = 0; i < random.size(); ++i) {
    if (i > 0 && i % 4 == 0) password += '-';
    password += kAlphabet[random[i] % kAlphabet.size()];
  }
  OPENSSL_cleanse(random.data(), random.size());
  return password;
}

}  // namespace mailstead::keys
