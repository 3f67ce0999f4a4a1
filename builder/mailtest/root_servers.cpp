// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/root_servers.hpp"

#include <fmt/format.h>

#include "base/run.hpp"

namespace mailstead::mailtest {
namespace {

struct RootServer {
  char letter;
  const char* address;
  const char* address6;
};

// https://www.iana.org/domains/root/servers, since the change of B in November 2023.
constexpr RootServer kRootServers[] = {
    {'a', "198.41.0.4", "2001:503:ba3e::2:30"}, {'b', "170.247.170.2", "2801:1b8:10::b"},
    {'c', "192.33.4.12", "2001:500:2::c"},      {'d', "199.7.91.13", "2001:500:2d::d"},
    {'e', "192.203.230.10", "2001:500:a8::e"},  {'f', "192.5.5.241", "2001:500:2f::f"},
    {'g', "192.112.36.4", "2001:500:12::d0d"},  {'h', "198.97.190.53", "2001:500:1::53"},
    {'i', "192.36.148.17", "2001:7fe::53"},     {'j', "192.58.128.30", "2001:503:c27::2:30"},
    {'k', "193.0.14.129", "2001:7fd::1"},       {'l', "199.7.83.42", "2001:500:9f::42"},
    {'m', "202.12.27.33", "2001:dc3::35"},
};

// A text of any length as character strings of at most 255 octets (RFC 1035 sections 3.3.14 and 5.1).
std::string quoted_texts(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size() || at == 0; at += 250) {
    result += at == 0 ? "\"" : " \"";
    for (const char c : text.substr(at, 250)) {
      const auto octet = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\')
        result += std::string("\\") + c;
      else if (octet < 0x20 || octet > 0x7e)
        result += fmt::format("\\{:03}", octet);
      else
        result += c;
    }
    result += '"';
  }
  return result;
}

}  // namespace

Result<std::string> root_zone(const std::vector<DnsRecord>& records) {
  // Relative to the root, names with and without their final dot are the same.
  std::string zone =
      "$ORIGIN .\n$TTL 60\n"
      ". IN SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 60\n";
  for (const RootServer& server : kRootServers)
    zone += fmt::format(
        ". IN NS {0}.root-servers.net.\n{0}.root-servers.net. IN A {1}\n"
        "{0}.root-servers.net. IN AAAA {2}\n",
        server.letter, server.address, server.address6);
  for (const DnsRecord& record : records) {
    // TXT values are quoted; in all others these would begin a comment, a group or another line.
    const bool plain = record.type == "TXT" || record.value.find_first_of("\n;()$\\") == std::string::npos;
    if (!plain || record.name.empty() || record.name.find_first_of("\n;()$\\\"@ \t") != std::string::npos)
      return fail(ErrorKind::usage,
                  "the root zone of the test world cannot hold the record of " + record.name);
    zone += fmt::format("{} IN {} {}\n", record.name, record.type,
                        record.type == "TXT" ? quoted_texts(record.value) : record.value);
  }
  return zone;
}

std::string nsd_configuration(const std::filesystem::path& folder) {
  // username "": in a user namespace there is no other user to change to. No file may be where the system's
  // own nsd has its files.
  std::string text = fmt::format(
      "server:\n  username: \"\"\n  chroot: \"\"\n  pidfile: \"\"\n  zonesdir: \"{0}\"\n"
      "  database: \"\"\n  xfrdfile: \"{0}/nsd-transfers\"\n  xfrdir: \"{0}\"\n"
      "  zonelistfile: \"{0}/nsd-zones\"\n"
      "  server-count: 1\n  verbosity: 1\n  rrl-ratelimit: 0\n"
      // IPv6 addresses that are only routed to this host are on no interface.
      "  ip-freebind: yes\n",
      folder.string());
  for (const RootServer& server : kRootServers)
    text += fmt::format("  ip-address: {}\n  ip-address: {}\n", server.address, server.address6);
  return text + "remote-control:\n  control-enable: no\nzone:\n  name: \".\"\n  zonefile: \"root.zone\"\n";
}

Result<vm::Daemon> prepare_root_servers(const std::vector<DnsRecord>& records,
                                        const std::filesystem::path& folder) {
  TRY(const std::string zone, root_zone(records));
  const std::filesystem::path place = std::filesystem::absolute(folder) / "root-servers";
  CHECK_OK(make_directories(place));
  CHECK_OK(write_file(place / "root.zone", zone));
  CHECK_OK(write_file(place / "nsd.conf", nsd_configuration(place)));
  Command routes;
  routes.argv = {"ip", "-batch", "-"};
  for (const RootServer& server : kRootServers)
    routes.input += fmt::format("route add local {}/32 dev lo\nroute add local {}/128 dev lo\n",
                                server.address, server.address6);
  routes.timeout = std::chrono::seconds(20);
  if (auto done = run(routes); !done)
    return fail(std::move(done).error().with_note("while giving the root servers their addresses"));
  // -d: stay in the foreground.
  return vm::Daemon{{"nsd", "-d", "-c", (place / "nsd.conf").string()}, place / "nsd.log", {}, false};
}

}  // namespace mailstead::mailtest
