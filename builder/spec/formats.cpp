// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "spec/ascii.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::spec {
namespace {

using yaml::quote;

bool is_alphanumeric(char c) {
  return is_digit(c) || is_lower(c) || is_upper(c);
}

/// The alphabet that crypt(5) writes hashes and salts in.
bool is_crypt64(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '.' || c == '/'; });
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
                       [](char c) { return is_alphanumeric(c) || c == '+' || c == '/'; });
  };
  return parts.size() == 5 && parts[1].starts_with("v=") && parts[2].starts_with("m=") &&
         parts[3].size() >= 11 && is_base64(parts[3]) && parts[4].size() >= 22 && is_base64(parts[4]);
}

/// RFC 4648 section 4; nothing if it is not base64 with its padding.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string out;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') {
      value = static_cast<std::uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      value = static_cast<std::uint32_t>(c - 'a' + 26);
    } else if (is_digit(c)) {
      value = static_cast<std::uint32_t>(c - '0' + 52);
    } else if (c == '+') {
      value = 62;
    } else if (c == '/') {
      value = 63;
    } else if (c != '=' || i + padding < text.size()) {
      return std::nullopt;
    }
    bits = bits << 6 | value;
    if (i % 4 == 3) {
      for (const int shift : {16, 8, 0}) out += static_cast<char>(bits >> shift & 0xff);
      bits = 0;
    }
  }
  out.resize(out.size() - padding);
  return out;
}

constexpr std::array<std::string_view, 7> kKeyTypes{
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
};

bool is_key_type(std::string_view word) {
  return std::find(kKeyTypes.begin(), kKeyTypes.end(), word) != kKeyTypes.end();
}

/// Where the options in front of a key end: at the first space outside of double quotes.
std::size_t end_of_options(std::string_view line) {
  bool inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && inside) {
      ++i;
    } else if (line[i] == '"') {
      inside = !inside;
    } else if ((line[i] == ' ' || line[i] == '\t') && !inside) {
      return i;
    }
  }
  return line.size();
}

std::string_view skip_spaces(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
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

}  // namespace

Checked<std::uint64_t> parse_size(std::string_view text) {
  const std::string_view how = "write a whole number and K, M, G or T (powers of 1024), as 20M or 5G";
  std::uint64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || !is_digit(text[0]) || status == std::errc::invalid_argument) {
    return fault(fmt::format("{} is not a size", quote(text)), std::string(how));
  }
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  unsigned shift = 0;
  if (!unit.empty()) {
    const std::size_t power = std::string_view("KMGT").find(unit[0]);
    if (power == std::string_view::npos || (unit.size() > 1 && unit.substr(1) != "iB")) {
      return fault(fmt::format("{} is not a size", quote(text)), std::string(how));
    }
    shift = static_cast<unsigned>(power + 1) * 10;
  }
  if (status != std::errc() || number > std::numeric_limits<std::uint64_t>::max() >> shift) {
    return fault(fmt::format("{} is more than a file system can hold", quote(text)));
  }
  return number << shift;
}

Checked<std::string> parse_password_hash(std::string_view text) {
  const std::string make = "make one with 'mailstead passwd'";
  std::string_view hash = text;
  if (hash.starts_with('{') && hash.find('}') != std::string_view::npos && hash.find('}') < 32) {
    hash.remove_prefix(hash.find('}') + 1);
  }
  if (hash.empty()) return fault("the password hash is empty", make);
  if (!hash.starts_with('$'))
    return fault("this is not a password hash; never write a password itself here", make);
  const std::size_t end = hash.find('$', 1);
  const std::string_view method =
      end == std::string_view::npos ? std::string_view{} : hash.substr(1, end - 1);
  static constexpr std::array<std::string_view, 10> kMethods{"y",  "gy", "7", "2b",       "2a",
                                                             "2y", "6",  "5", "argon2id", "argon2i"};
  static constexpr std::array<std::string_view, 6> kWeak{"1", "md5", "sha1", "3", "2", "2x"};
  if (std::find(kWeak.begin(), kWeak.end(), method) != kWeak.end()) {
    return fault("this password hash is of a method that is too weak", make);
  }
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) {
    return fault("this password hash is of a method that Dovecot does not know", make);
  }
  // It becomes a field of a file that is separated by colons and newlines.
  const bool plain = std::all_of(hash.begin(), hash.end(), [](char c) {
    return is_alphanumeric(c) || std::string_view("$./+=,").find(c) != std::string_view::npos;
  });
  if (!plain || !is_complete(method, hash)) {
    return fault("this password hash is not complete", "copy it again, in quotes, or " + make);
  }
  // Four logins at once, as Dovecot is told, must fit into a machine of 1 GiB beside all else.
  constexpr std::uint64_t kMostMemoryKib = 64 * 1024;
  if (argon2_memory_kib(hash) > kMostMemoryKib) {
    return fault("each login by this password hash takes more than 64 MiB of memory",
                 "hash the password with m=65536 or less, or " + make);
  }
  return std::string(hash);
}

Checked<std::string> parse_authorized_key(std::string_view text) {
  const std::string how = "take the one line of a file like id_ed25519.pub";
  if (text.find("PRIVATE KEY") != std::string_view::npos) {
    return fault("this is a private key, which belongs on no other machine", how);
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f)
      return fault("this public key is more than one line", how);
  }
  std::string_view rest = skip_spaces(text);
  std::string_view type = rest.substr(0, rest.find_first_of(" \t"));
  if (!is_key_type(type)) {
    if (type == "ssh-dss")
      return fault("this public key is of the type ssh-dss, which OpenSSH does not take any more");
    rest = skip_spaces(rest.substr(end_of_options(rest)));
    type = rest.substr(0, rest.find_first_of(" \t"));
  }
  if (!is_key_type(type)) return fault("this is not a public key of OpenSSH", how);
  rest = skip_spaces(rest.substr(type.size()));
  const auto blob = decode_base64(rest.substr(0, rest.find_first_of(" \t")));
  // The data begin with the type again, as a string of RFC 4251 section 5.
  const std::string begin = std::string{'\0', '\0', '\0', static_cast<char>(type.size())} + std::string(type);
  if (!blob || !blob->starts_with(begin) || blob->size() < begin.size() + 16) {
    return fault(fmt::format("this public key of the type {} is not complete", type), how);
  }
  return std::string(text);
}

Checked<std::string> parse_sieve(std::string text) {
  if (text.find('\0') != std::string::npos) return fault("the sieve script holds a NUL");
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return fault("the sieve script is empty");
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

}  // namespace mailstead::spec
