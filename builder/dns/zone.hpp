// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "spec/site.hpp"

namespace mailstead::dns {

/// A resource record to publish. Names are absolute without the final dot.
struct Record {
  std::string name;
  std::string type;                ///< "MX", "TXT", "A", …
  unsigned ttl = 3600;             ///< seconds
  std::string value;               ///< as in a master file (RFC 1035 section 5) for all types but TXT
  std::vector<std::string> texts;  ///< TXT only: the strings, each at most 255 octets, unquoted
  std::string note;                ///< why, for people ("placeholder: put the server's address here"); may be empty
};

/// All records of a site: MX, A and AAAA (from the spec's addresses, or placeholders), SPF (RFC 7208), DKIM (RFC 6376),
/// DMARC (RFC 7489), SRV for submission and IMAP (RFC 6186, RFC 8314), and PTR advice. Reads the DKIM private keys.
Result<std::vector<Record>> zone_records(const spec::Site& site);

/// Master-file form, comments with a ';', long TXT values split into strings.
std::string to_master_file(const std::vector<Record>& records);
/// {"records": [{"name": …, "type": …, "ttl": …, "value": …, "texts": […], "note": …}]}
std::string to_json(const std::vector<Record>& records);

}  // namespace mailstead::dns
