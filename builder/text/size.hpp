// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

namespace mailstead::text {

enum class SizeFault { no_size, too_large };

/// Bytes from "5G", "500M", "20MiB" or plain digits: powers of 1024 (IEC 80000-13), whole numbers only, with
/// K, M, G or T and perhaps "iB". Errors: anything else; more than 64 bits.
tl::expected<std::uint64_t, SizeFault> parse_size(std::string_view text);

}  // namespace mailstead::text
