// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace mailstead::text {

enum class HexDigits { upper, lower };

/// `text` with each byte as %XX (RFC 3986 section 2.1) that is no ASCII letter or digit and not in `plain`.
/// Upper-case digits are what the RFC asks for.
std::string percent_encoded(std::string_view text, std::string_view plain,
                            HexDigits digits = HexDigits::upper);

/// `text` with the byte that each %XX stands for; what is no two hexadecimal digits behind '%' stays.
std::string percent_decoded(std::string_view text);

}  // namespace mailstead::text
