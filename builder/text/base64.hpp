// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mailstead::text {

/// RFC 4648 section 4, with padding, without line breaks.
std::string to_base64(std::string_view bytes);

/// The bytes that to_base64 would write as `text`; nothing if there are none: other characters, line breaks,
/// wrong padding, or bits that no byte has (RFC 4648 section 3.5).
std::optional<std::string> from_base64(std::string_view text);

}  // namespace mailstead::text
