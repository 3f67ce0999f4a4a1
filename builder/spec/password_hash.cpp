// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include "base/program.hpp"
#include "spec/formats.hpp"
#include "text/ascii.hpp"

namespace mailstead::spec {
namespace {

/// What may stand between the first two dollar signs: see parse_password_hash.
constexpr std::string_view kMethods = "$y$gy$7$2b$2a$2y$6$5$argon2id$argon2i$";
constexpr std::string_view kWeakMethods = "$1$md5$sha1$3$2$2x$";

/// A name that Dovecot puts in braces before a hash (none: ""), and the methods that it can stand for.
struct Scheme {
  std::string_view name;
  std::string_view methods;
};
constexpr std::array<Scheme, 7> kSchemes{{{"", kMethods},
                                          {"CRYPT", "$y$gy$7$2b$2a$2y$6$5$"},
                                          {"BLF-CRYPT", "$2b$2a$2y$"},
                                          {"SHA512-CRYPT", "$6$"},
                                          {"SHA256-CRYPT", "$5$"},
                                          {"ARGON2ID", "$argon2id$"},
                                          {"ARGON2I", "$argon2i$"}}};
/// Dovecot's names for a password that is not hashed.
constexpr std::array<std::string_view, 3> kPlainSchemes{"PLAIN", "CLEAR", "CLEARTEXT"};

bool is_one_of(std::string_view methods, std::string_view method) {
  return methods.find(fmt::format("${}$", method)) != std::string_view::npos;
}

/// A hash without the scheme in front of it; the scheme is empty if there is none. Schemes are compared
/// without case, as Dovecot and LDAP do.
struct Parts {
  std::string scheme;
  std::string_view hash;
};
Parts split_scheme(std::string_view text) {
  const std::size_t end = text.find('}');
  if (!text.starts_with('{') || end == std::string_view::npos || end >= 32) return {{}, text};
  return {text::upper(text.substr(1, end - 1)), text.substr(end + 1)};
}

/// "6" of "$6$…"; empty if it has no such form.
std::string_view method_of(std::string_view hash) {
  const std::size_t end = hash.find('$', 1);
  return hash.starts_with('$') && end != std::string_view::npos ? hash.substr(1, end - 1) : "";
}

/// The alphabet that crypt(5) writes hashes and salts in.
bool is_crypt64(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return text::is_alphanumeric(c) || c == '.' || c == '/'; });
}

/// The parts between the dollar signs after the first one.
std::vector<std::string_view> dollar_parts(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 1; begin <= text.size();) {
    const std::size_t end = std::min(text.find('$', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool is_number(std::string_view text, unsigned least, unsigned most) {
  unsigned number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  return status == std::errc() && end == text.data() + text.size() && number >= least && number <= most;
}

/// Whether a hash of a known method is complete: a hash that was cut off while copying locks its owner out.
bool is_complete(std::string_view method, std::string_view hash) {
  const std::vector<std::string_view> parts = dollar_parts(hash);
  if (method == "y" || method == "gy") {
    return parts.size() == 4 && !parts[1].empty() && is_crypt64(parts[1]) && is_crypt64(parts[2]) &&
           parts[2].size() <= 86 && is_crypt64(parts[3]) && parts[3].size() == 43;
  }
  if (method == "7") {
    return parts.size() == 3 && parts[1].size() > 11 && is_crypt64(parts[1]) && is_crypt64(parts[2]) &&
           parts[2].size() == 43;
  }
  if (method == "2b" || method == "2a" || method == "2y") {
    return parts.size() == 3 && parts[1].size() == 2 && is_number(parts[1], 4, 31) && is_crypt64(parts[2]) &&
           parts[2].size() == 53;
  }
  if (method == "6" || method == "5") {
    const bool rounds = parts.size() == 4 && parts[1].starts_with("rounds=");
    if (rounds && !is_number(parts[1].substr(7), 1000, 999'999'999)) return false;
    const std::size_t salt = rounds ? 2 : 1;
    return parts.size() == salt + 2 && !parts[salt].empty() && parts[salt].size() <= 16 &&
           is_crypt64(parts[salt]) && is_crypt64(parts[salt + 1]) &&
           parts[salt + 1].size() == (method == "6" ? 86 : 43);
  }
  const auto is_base64 = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return text::is_alphanumeric(c) || c == '+' || c == '/'; });
  };
  return parts.size() == 5 && parts[1].starts_with("v=") && parts[2].starts_with("m=") &&
         parts[3].size() >= 11 && is_base64(parts[3]) && parts[4].size() >= 22 && is_base64(parts[4]);
}

/// Memory of a look at an Argon2 hash ("$argon2id$v=19$m=65536,t=3,p=1$…"), in KiB; 0 for a hash that does
/// not say.
std::uint64_t argon2_memory_kib(std::string_view hash) {
  const std::size_t at = hash.find("$m=");
  if (!hash.starts_with("$argon2") || at == std::string_view::npos) return 0;
  std::uint64_t memory = 0;
  const char* begin = hash.data() + at + 3;
  const auto [end, status] = std::from_chars(begin, hash.data() + hash.size(), memory);
  return status == std::errc::result_out_of_range ? std::numeric_limits<std::uint64_t>::max() : memory;
}

/// The method, if hashes of it are accepted and the scheme in front is one of its names.
Checked<std::string_view> check_method(std::string_view scheme, std::string_view hash) {
  const std::string make = fmt::format("make one with `{}`", own_command({"passwd"}));
  const std::string accepted =
      "accepted are $y$, $gy$, $7$, $2a$, $2b$, $2y$, $5$, $6$, $argon2i$ and $argon2id$, with or without "
      "Dovecot's {SCHEME} in front; or " +
      make;
  if (hash.empty()) return fault("the password hash is empty", make);
  if (std::ranges::find(kPlainSchemes, scheme) != kPlainSchemes.end() ||
      (scheme.empty() && hash.front() != '$'))
    return fault("this is not a password hash; never write a password itself here", make);
  const std::string_view method = method_of(hash);
  if (is_one_of(kWeakMethods, method))
    return fault("this password hash uses a method that is too weak", make);
  const auto named = std::ranges::find(kSchemes, scheme, &Scheme::name);
  if (named == kSchemes.end())
    return fault("the scheme in front of this password hash is not accepted", accepted);
  if (!is_one_of(kMethods, method))
    return fault("this password hash uses a method that Dovecot does not know", accepted);
  if (!is_one_of(named->methods, method))
    return fault("this password hash is not of the scheme in front of it", "copy it again, or " + make);
  return method;
}

}  // namespace

Checked<std::string> parse_password_hash(std::string_view text) {
  const auto [scheme, hash] = split_scheme(text);
  const auto method = check_method(scheme, hash);
  if (!method) return tl::unexpected<Fault>(method.error());
  // It becomes a field of a file that is separated by colons and newlines.
  const bool plain = std::all_of(hash.begin(), hash.end(), [](char c) {
    return text::is_alphanumeric(c) || std::string_view("$./+=,").find(c) != std::string_view::npos;
  });
  if (!plain || !is_complete(*method, hash)) {
    return fault("this password hash is not complete",
                 fmt::format("copy it again, in quotes, or make one with `{}`", own_command({"passwd"})));
  }
  // Four logins at once, as Dovecot is told, must fit into a machine of 1 GiB beside all else.
  constexpr std::uint64_t kMostMemoryKib = 64 * 1024;
  if (argon2_memory_kib(hash) > kMostMemoryKib) {
    return fault("each login with this password hash needs more than 64 MiB of memory",
                 fmt::format("hash the password with m=65536 or less, or make one with `{}`",
                             own_command({"passwd"})));
  }
  return std::string(hash);
}

}  // namespace mailstead::spec
