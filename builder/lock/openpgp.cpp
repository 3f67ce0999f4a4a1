// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/openpgp.hpp"

#include <cstdint>
#include <optional>

#include "crypto/digest.hpp"
#include "lock/text.hpp"
#include "text/base64.hpp"

namespace mailstead::lock {
namespace {

constexpr std::string_view kArmourBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// The number in the first `count` bytes, which are taken off; nothing if there are fewer.
std::optional<std::size_t> take_number(std::string_view& bytes, std::size_t count) {
  if (bytes.size() < count) return std::nullopt;
  std::size_t number = 0;
  for (const char c : bytes.substr(0, count)) number = number << 8 | static_cast<std::uint8_t>(c);
  bytes.remove_prefix(count);
  return number;
}

/// RFC 9580 section 4.2.1, without partial lengths, which keys do not have.
std::optional<std::size_t> take_new_length(std::string_view& bytes) {
  const auto first = take_number(bytes, 1);
  if (!first || *first < 192) return first;
  if (*first == 255) return take_number(bytes, 4);
  if (*first >= 224) return std::nullopt;
  const auto second = take_number(bytes, 1);
  if (!second) return std::nullopt;
  return ((*first - 192) << 8) + *second + 192;
}

/// RFC 9580 section 4.2.2, without the indeterminate length.
std::optional<std::size_t> take_old_length(std::string_view& bytes, unsigned type) {
  if (type == 3) return std::nullopt;
  return take_number(bytes, std::size_t{1} << type);
}

/// RFC 9580 section 5.5.4; older versions than 4 are no longer in use.
std::string fingerprint(std::string_view body) {
  std::string text;
  if (body.starts_with('\4') && body.size() <= 0xffff) {
    const std::string head{'\x99', static_cast<char>(body.size() >> 8), static_cast<char>(body.size())};
    text = crypto::sha1_hex(head + std::string(body));
  } else if (body.starts_with('\6') && body.size() <= 0xffffffff) {
    std::string head = "\x9b";
    for (const unsigned shift : {24u, 16u, 8u, 0u}) head += static_cast<char>(body.size() >> shift);
    text = crypto::sha256_hex(head + std::string(body));
  }
  return upper(text);
}

void add_keys(std::string_view packets, std::set<std::string>& found) {
  while (!packets.empty()) {
    const auto header = static_cast<std::uint8_t>(packets.front());
    packets.remove_prefix(1);
    if ((header & 0x80) == 0) return;
    const bool new_format = (header & 0x40) != 0;
    const unsigned tag = new_format ? header & 0x3fu : header >> 2 & 0xfu;
    const auto length = new_format ? take_new_length(packets) : take_old_length(packets, header & 3u);
    if (!length || *length > packets.size()) return;
    constexpr unsigned kPublicKey = 6;
    constexpr unsigned kPublicSubkey = 14;
    if (tag == kPublicKey || tag == kPublicSubkey) {
      if (std::string name = fingerprint(packets.substr(0, *length)); !name.empty())
        found.insert(std::move(name));
    }
    packets.remove_prefix(*length);
  }
}

/// The packets of a block that begins behind kArmourBegin: headers, an empty line, base64, a checksum, an
/// end.
std::string dearmour(std::string_view block) {
  std::string base64;
  bool in_body = false;
  for (const auto line : split_lines(block)) {
    const std::string_view text = trim(line);
    // In a deb822 field an empty line is written as a dot.
    const bool is_empty = text.empty() || text == ".";
    if (text.starts_with("-----END")) break;
    if (in_body && text.starts_with('=')) break;
    if (in_body) {
      if (!is_empty) base64 += text;
    } else if (is_empty && line.data() != block.data()) {
      in_body = true;
    }
  }
  return text::from_base64(base64).value_or("");
}

}  // namespace

std::set<std::string> key_fingerprints(std::string_view keyring) {
  std::set<std::string> found;
  auto begin = keyring.find(kArmourBegin);
  if (begin == std::string_view::npos) add_keys(keyring, found);
  while (begin != std::string_view::npos) {
    keyring.remove_prefix(begin + kArmourBegin.size());
    add_keys(dearmour(keyring), found);
    begin = keyring.find(kArmourBegin);
  }
  return found;
}

}  // namespace mailstead::lock
