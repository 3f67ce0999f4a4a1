// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/root_hash.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.hpp"
#include "base/program.hpp"

namespace mailstead::verify {
namespace {

constexpr std::size_t kDigits = 64;

}  // namespace

Result<std::string> parse_root_hash(std::string_view text) {
  const std::size_t wrong = text.find_first_not_of("0123456789abcdefABCDEF");
  std::string what;
  if (wrong != std::string_view::npos)
    what = fmt::format("character {} is no hexadecimal digit", wrong + 1);
  else if (text.size() != kDigits)
    what = fmt::format("it has {} digits instead of {}", text.size(), kDigits);
  if (!what.empty())
    return fail(ErrorKind::usage, fmt::format("--root-hash '{}': {}", printable(text), what),
                fmt::format("give what `{}` has printed behind \"root hash\"", own_command({"build"})));
  std::string digits(text);
  std::transform(digits.begin(), digits.end(), digits.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  return digits;
}

}  // namespace mailstead::verify
