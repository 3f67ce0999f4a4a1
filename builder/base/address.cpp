// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/address.hpp"

#include <algorithm>

namespace mailstead {
namespace {

constexpr std::string_view kSchemeEnd = "://";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_scheme_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' || c == '.';
}

/// Where the host of an address ends, and the port with it: RFC 3986 section 3.2.
std::size_t authority_end(std::string_view rest) {
  return std::min(rest.find_first_of("/?#\\"), rest.size());
}

/// "host", "host:80", "[::1]:80"
bool is_host(std::string_view text) {
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return false;
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
  }
  if (end == text.size()) return true;
  return text[end] == ':' &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(end) + 1, text.end(), is_digit);
}

/// `rest` without a port that is none: it is where a password would be whose '@' is missing.
std::string without_wrong_port(std::string_view rest) {
  const std::size_t end = authority_end(rest);
  if (is_host(rest.substr(0, end))) return std::string(rest);
  return std::string(rest.substr(0, rest.find(':')));
}

/// An address in a text, which ends where `token` does.
std::string shown_in_text(std::string_view scheme, std::string_view token) {
  const std::size_t at = token.substr(0, authority_end(token)).rfind('@');
  std::string_view rest = at == std::string_view::npos ? token : token.substr(at + 1);
  if (!is_host(rest.substr(0, authority_end(rest))))
    return Address(std::string(scheme) + std::string(token)).shown();
  return std::string(scheme) + std::string(rest);
}

}  // namespace

std::string Address::shown() const {
  std::string_view rest = exact_;
  std::string_view scheme;
  if (const auto end = rest.find(kSchemeEnd); end != std::string_view::npos) {
    scheme = rest.substr(0, end + kSchemeEnd.size());
    rest.remove_prefix(scheme.size());
  }
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  // Something like "cdrom:[x]/" is no host with a port.
  if (scheme.empty()) return std::string(rest);
  return std::string(scheme) + without_wrong_port(rest);
}

std::string Address::host() const {
  std::string_view rest = exact_;
  const auto scheme = rest.find(kSchemeEnd);
  if (scheme == std::string_view::npos) return {};
  rest.remove_prefix(scheme + kSchemeEnd.size());
  rest = rest.substr(0, authority_end(rest));
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  const auto from = rest.starts_with('[') ? std::min(rest.find(']'), rest.size()) : 0;
  return std::string(rest.substr(0, rest.find(':', from)));
}

std::string without_credentials(std::string_view text) {
  std::string result;
  for (auto at = text.find(kSchemeEnd); at != std::string_view::npos; at = text.find(kSchemeEnd)) {
    std::size_t begin = at;
    while (begin > 0 && is_scheme_character(text[begin - 1])) --begin;
    result += text.substr(0, begin);
    const std::string_view scheme = text.substr(begin, at + kSchemeEnd.size() - begin);
    text.remove_prefix(at + kSchemeEnd.size());
    const std::string_view token = text.substr(0, std::min(text.find_first_of(" \t\r\n\"'<>`"), text.size()));
    result += shown_in_text(scheme, token);
    text.remove_prefix(token.size());
  }
  return result += text;
}

}  // namespace mailstead
