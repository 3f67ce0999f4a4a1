// SPDX-License-Identifier: GPL-3.0-or-later
// What the readers of the public and of the private network share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "spec/formats.hpp"
#include "spec/reading.hpp"

namespace mailstead::spec {

/// A list of addresses with prefix lengths; appends them to `texts`, too. `published`: they become records in
/// DNS, where a private one is of no use.
std::vector<InterfaceAddress> read_addresses(Reading& reading, const Field& list,
                                             std::vector<std::string>& texts, bool published);
std::optional<unsigned> read_mtu(Reading& reading, const Field& field);
/// A card that is not named if the value is wrong.
Card read_card(Reading& reading, const Field& value);
/// The private network into Site::network, after the public one; returns its fixed addresses. `card`: what
/// names the public card; `own`: the fixed addresses there.
std::vector<InterfaceAddress> read_private(Reading& reading, const Field& value,
                                           const std::optional<Field>& card,
                                           const std::vector<InterfaceAddress>& own);

}  // namespace mailstead::spec
