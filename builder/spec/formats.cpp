// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "spec/redirects.hpp"
#include "text/base64.hpp"
#include "text/size.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::spec {
namespace {

using yaml::quote;

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
  const auto size = text::parse_size(text);
  if (size) return *size;
  if (size.error() == text::SizeFault::too_large)
    return fault(fmt::format("{} is more than a file system can hold", quote(text)));
  return fault(fmt::format("{} is not a size", quote(text)),
               "write a whole number and K, M, G or T (powers of 1024), as 20M or 5G");
}

Checked<std::string> parse_authorized_key(std::string_view text) {
  const std::string how = "use the single line of a file like id_ed25519.pub";
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
  const auto blob = text::from_base64(rest.substr(0, rest.find_first_of(" \t")));
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
