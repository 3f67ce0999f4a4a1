// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "spec/site.hpp"

namespace mailstead::spec {

/// Why a text is not what it should be, before the place is known.
struct Fault {
  std::string message;
  std::string hint;
};
template <class T>
using Checked = tl::expected<T, Fault>;
/// To return in place of a Checked.
inline tl::unexpected<Fault> fault(std::string message, std::string hint = {}) {
  return tl::unexpected<Fault>(Fault{std::move(message), std::move(hint)});
}

struct DomainName {
  std::string ascii;    ///< lower case A-labels (RFC 5890)
  std::string unicode;  ///< U-labels
};

/// A domain of at least two labels: RFC 1035 section 2.3.1 with RFC 1123 section 2.1, internationalised
/// labels by IDNA2008 (RFC 5891). A dot at the end is refused, since it would be another name to half of the
/// programs.
Checked<DomainName> parse_domain(std::string_view text);

/// Like parse_domain, but one label is enough ("lan").
Checked<DomainName> parse_zone(std::string_view text);

/// Like parse_domain; at most 64 bytes, which is what Linux takes (hostname(7)).
Checked<std::string> parse_hostname(std::string_view text);

/// A mailbox address with a dot-atom as local part (RFC 5321 section 4.1.2), at most 64 and 254 octets
/// (section 4.5.3.1). Quoted local parts and non-ASCII ones (RFC 6531) are refused.
Checked<Address> parse_address(std::string_view text);

/// A DKIM selector (RFC 6376 section 3.1), lower-cased.
Checked<std::string> parse_selector(std::string_view text);

}  // namespace mailstead::spec
