// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/address.hpp"

namespace mailstead::lock {

/// What a file of sources, in the one-line or in the deb822 format (sources.list(5)), says that `suite` at
/// `uri` is signed by: keyring files, fingerprints or an inline key; empty if it says nothing. apt tells all
/// else of its sources, but not this.
std::string find_signed_by(std::string_view text, const Address& uri, std::string_view suite);

/// The fingerprints of the keys that a value as above names. Of a file that cannot be read: none.
std::set<std::string> keys_named_by(std::string_view signed_by);

}  // namespace mailstead::lock
