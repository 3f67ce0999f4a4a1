// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mailstead::crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// SHA-256 (FIPS 180-4) over data given in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view data);
  Sha256Digest finish();  ///< ends the computation; nothing may be added afterwards

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256Digest sha256(std::string_view data);
std::string sha256_hex(std::string_view data);
/// Whether `text` is a SHA-256 digest as sha256_hex writes it: 64 lower-case hexadecimal digits.
bool is_sha256_hex(std::string_view text);
/// SHA-1 (FIPS 180-4), lower-case hexadecimal: the name of an OpenPGP key, never proof of anything.
std::string sha1_hex(std::string_view data);
Result<std::string> sha256_file_hex(const std::filesystem::path& path);

/// Lower-case hexadecimal.
std::string to_hex(const std::uint8_t* data, std::size_t size);
template <std::size_t N>
std::string to_hex(const std::array<std::uint8_t, N>& data) {
  return to_hex(data.data(), N);
}

/// A UUID (RFC 9562 version 8 layout) derived from a name: the same input gives the same id everywhere. Used
/// wherever a format wants a "random" id, so that images are reproducible. Lower case with dashes.
std::string derived_uuid(std::string_view scope, std::string_view name);

}  // namespace mailstead::crypto
