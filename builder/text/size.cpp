// SPDX-License-Identifier: GPL-3.0-or-later
#include "text/size.hpp"

#include <charconv>
#include <limits>

#include "text/ascii.hpp"

namespace mailstead::text {

tl::expected<std::uint64_t, SizeFault> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || !is_digit(text[0]) || status == std::errc::invalid_argument)
    return tl::unexpected(SizeFault::no_size);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  unsigned shift = 0;
  if (!unit.empty()) {
    const std::size_t power = std::string_view("KMGT").find(unit[0]);
    if (power == std::string_view::npos || (unit.size() > 1 && unit.substr(1) != "iB"))
      return tl::unexpected(SizeFault::no_size);
    shift = static_cast<unsigned>(power + 1) * 10;
  }
  if (status != std::errc() || number > std::numeric_limits<std::uint64_t>::max() >> shift)
    return tl::unexpected(SizeFault::too_large);
  return number << shift;
}

}  // namespace mailstead::text
