// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/package_url.hpp"

#include <fmt/format.h>

#include "text/percent.hpp"

namespace mailstead::lock {
namespace {

std::string encoded(std::string_view text) {
  return text::percent_encoded(text, ".-_~:");
}

}  // namespace

std::string package_url(std::string_view name, std::string_view version, std::string_view architecture,
                        std::string_view suite) {
  return fmt::format("pkg:deb/debian/{}@{}?arch={}&distro={}", encoded(name), encoded(version),
                     encoded(architecture), encoded(suite));
}

}  // namespace mailstead::lock
