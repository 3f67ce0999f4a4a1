// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "spec/ascii.hpp"
#include "spec/redirects.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::spec {
namespace {

using yaml::quote;

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
  out.erase(out.size() - padding);
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
  if (const std::size_t most = most_redirects(text); most > kMostRedirects)
    return fault(
        fmt::format("the sieve script may redirect a message to {} addresses; at most {} are possible", most,
                    kMostRedirects),
        "list the addresses below 'forwards' instead");
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

}  // namespace mailstead::spec
