// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "dns/groups.hpp"
#include "dns/names.hpp"
#include "keys/keys.hpp"
#include "text/percent.hpp"

namespace mailstead::dns {
namespace {

constexpr std::size_t kTextLimit = 255;  // octets in one string of a TXT record, RFC 1035 section 3.3

Record record(std::string name, std::string type, std::string value, std::string note = {}) {
  Record made;
  made.name = std::move(name);
  made.type = std::move(type);
  made.value = std::move(value);
  made.note = std::move(note);
  return made;
}

Record text_record(std::string name, std::string_view text, std::string note = {}) {
  Record made = record(std::move(name), "TXT", {}, std::move(note));
  for (; !text.empty(); text.remove_prefix(std::min(text.size(), kTextLimit)))
    made.texts.emplace_back(text.substr(0, kTextLimit));
  return made;
}

/// An address as a mailto URI (RFC 6068). DMARC splits the list of URIs at ',' and gives '!' a meaning (RFC
/// 7489 section 6.2), and both are allowed in a local part: everything unusual is percent-encoded.
std::string mailto(const spec::Address& address) {
  return "mailto:" + text::percent_encoded(address.local, "-._~+") + "@" + address.domain;
}

std::string_view policy_name(spec::DmarcPolicy policy) {
  switch (policy) {
    case spec::DmarcPolicy::none:
      return "none";
    case spec::DmarcPolicy::quarantine:
      return "quarantine";
    case spec::DmarcPolicy::reject:
      return "reject";
  }
  return "none";
}

void add_dmarc(const spec::Domain& domain, std::vector<Record>& records) {
  std::string text = fmt::format("v=DMARC1; p={}", policy_name(domain.dmarc_policy));
  if (domain.dmarc_reports) text += "; rua=" + mailto(*domain.dmarc_reports);
  records.push_back(text_record("_dmarc." + domain.name, text));
  if (!domain.dmarc_reports) return;
  // RFC 7489 section 7.1. A domain above or below is of the same organisation and needs no permission.
  const std::string& receiver = domain.dmarc_reports->domain;
  if (is_within(receiver, domain.name) || is_within(domain.name, receiver)) return;
  records.push_back(
      text_record(domain.name + "._report._dmarc." + receiver, "v=DMARC1",
                  fmt::format("lets {} receive the DMARC reports about {}", receiver, domain.name)));
}

/// Where mail programs find the server by a user's address. A service that is not offered says so with the
/// target "." (RFC 6186 section 3.4), so that nobody else's answer is taken for it. Between services the
/// lower priority is preferred (section 3.3): TLS from the first byte before STARTTLS (RFC 8314 section 3.3).
void add_services(const spec::Site& site, const std::vector<overlay::SiteService>& services,
                  const std::string& domain, std::vector<Record>& records) {
  for (const auto& [service, offered] : services) {
    if (service.srv.empty() || !(offered || service.srv_denies)) continue;
    records.push_back(record(
        fmt::format("{}._tcp.{}", service.srv, domain), "SRV",
        offered ? fmt::format("{} 1 {} {}.", service.srv_priority, *service.port, site.hostname) : "0 0 0 .",
        offered ? "" : "not offered"));
  }
}

Status add_domain(const spec::Site& site, const std::vector<overlay::SiteService>& services,
                  const spec::Domain& domain, std::vector<Record>& records) {
  records.push_back(record(domain.name, "MX", fmt::format("10 {}.", site.hostname)));
  records.push_back(text_record(domain.name, "v=spf1 mx -all", "only this server sends mail of the domain"));
  for (const auto& key : domain.dkim) {
    spec::DkimKey located = key;
    located.private_key = site.folder / key.private_key;  // an absolute path replaces the folder
    TRY(const std::string text, keys::dkim_record(located));
    records.push_back(text_record(fmt::format("{}._domainkey.{}", key.selector, domain.name), text));
  }
  add_dmarc(domain, records);
  add_services(site, services, domain.name, records);
  return ok();
}

void add_placeholders(const std::string& hostname, bool v4, bool v6, std::vector<Record>& records) {
  const auto note = [&](const char* version, const char* condition) {
    return fmt::format(
        "placeholder: put the server's public {} address here{}, and have the provider of the address point "
        "its PTR "
        "record to {}",
        version, condition, hostname);
  };
  if (v4) records.push_back(record(hostname, "A", {}, note("IPv4", "")));
  if (v6) records.push_back(record(hostname, "AAAA", {}, note("IPv6", ", if it has one")));
}

/// The address records and, as many servers refuse mail from an address without it, the PTR record of each
/// address.
void add_host(const spec::Site& site, std::vector<Record>& records) {
  bool any = false;
  for (const auto& text : site.network.addresses) {
    const auto address = parse_address(text);
    if (!address || !address->publishable) continue;
    any = true;
    const std::string note =
        address->inner
            ? "this address is not reachable from the internet: if the server stands behind a router, "
              "publish the router's public address instead"
            : "";
    records.push_back(record(site.hostname, address->ipv6 ? "AAAA" : "A", address->text, note));
    records.push_back(
        record(address->reverse_name, "PTR", site.hostname + ".",
               "set by the provider of the address; many servers refuse mail from an address without it"));
  }
  // A family that the machine asks for has none; nor have both where all that is fixed is of no use to the
  // world.
  const auto& [dhcp4, dhcp6] = std::tie(site.network.dhcp4, site.network.dhcp6);
  add_placeholders(site.hostname, dhcp4 || (!any && !dhcp6), dhcp6 || (!any && !dhcp4), records);
  // Bounces have no sender domain, so receivers check the HELO name (RFC 7208 section 2.4). A host name that
  // is also a mail domain has its SPF record already; a second one would make both void (section 4.5).
  const bool is_domain =
      std::any_of(site.domains.begin(), site.domains.end(),
                  [&](const spec::Domain& domain) { return domain.name == site.hostname; });
  if (!is_domain)
    records.push_back(
        text_record(site.hostname, "v=spf1 a -all", "for bounces, which come from the host name itself"));
}

void sort_records(std::vector<Record>& records) {
  const Groups groups(records);
  const auto less = [&](const Record& a, const Record& b) {
    const auto zone_a = groups.zone_of(a);
    const auto zone_b = groups.zone_of(b);
    if (zone_a != zone_b) return groups.less(zone_a, zone_b);
    if (a.name != b.name) return canonical_less(a.name, b.name);
    return std::tie(a.type, a.value, a.texts) < std::tie(b.type, b.value, b.texts);
  };
  std::stable_sort(records.begin(), records.end(), less);
  const auto same = [](const Record& a, const Record& b) {
    return std::tie(a.name, a.type, a.value, a.texts) == std::tie(b.name, b.type, b.value, b.texts);
  };
  records.erase(std::unique(records.begin(), records.end(), same), records.end());
}

}  // namespace

Result<std::vector<Record>> zone_records(const spec::Site& site,
                                         const std::vector<overlay::SiteService>& services) {
  std::vector<Record> records;
  for (const auto& domain : site.domains) CHECK_OK(add_domain(site, services, domain, records));
  add_host(site, records);
  for (const auto& made : records) CHECK_OK(check_name(made.name));
  sort_records(records);
  return records;
}

}  // namespace mailstead::dns
