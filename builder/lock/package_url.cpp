// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/package_url.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace mailstead::lock {
namespace {

std::string encoded(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~:";
  std::string result;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos)
      result += c;
    else
      result += fmt::format("%{:02X}", static_cast<std::uint8_t>(c));
  }
  return result;
}

}  // namespace

std::string package_url(std::string_view name, std::string_view version, std::string_view architecture,
                        std::string_view suite) {
  return fmt::format("pkg:deb/debian/{}@{}?arch={}&distro={}", encoded(name), encoded(version),
                     encoded(architecture), encoded(suite));
}

}  // namespace mailstead::lock
