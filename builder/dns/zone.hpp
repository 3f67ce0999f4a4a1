// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "overlay/overlay.hpp"
#include "spec/site.hpp"

namespace mailstead::dns {

/// A resource record to publish. Names are absolute without the final dot.
struct Record {
  std::string name;
  std::string type;     ///< "MX", "TXT", "A", …
  unsigned ttl = 3600;  ///< seconds
  /// As in a master file (RFC 1035 section 5) for all types but TXT; empty in a placeholder, which `note`
  /// explains.
  std::string value;
  std::vector<std::string> texts;  ///< TXT only: the strings, each at most 255 octets, unquoted
  std::string note;  ///< why, for people ("placeholder: put the server's address here"); may be empty
};

/// All records of a site, sorted by zone and name: MX, A and AAAA (from the spec's addresses, or
/// placeholders), SPF (RFC 7208) for the domains and for the host name (HELO), DKIM (RFC 6376), DMARC (RFC
/// 7489) with the authorisation of reports to a foreign domain, SRV for submission and IMAP (RFC 6186, RFC
/// 8314) and ManageSieve (RFC 5804) as `services` have them, and the PTR records that the owner of the
/// addresses has to publish. Reads the DKIM private keys. Errors: those of keys::dkim_record; a name that is
/// too long for DNS (ErrorKind::usage).
Result<std::vector<Record>> zone_records(const spec::Site& site,
                                         const std::vector<overlay::SiteService>& services);

/// Master-file form (RFC 1035 section 5) in a group a zone, comments with a ';', names absolute, long TXT
/// values as several strings. What cannot be published with the zone (placeholders, PTR) is a comment, so
/// that a name server loads the file as it is with $INCLUDE.
std::string to_master_file(const std::vector<Record>& records);
/// {"records": [{"name": …, "type": …, "ttl": …, "value": …, "texts": […], "note": …}]}
std::string to_json(const std::vector<Record>& records);

}  // namespace mailstead::dns
