// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.hpp"
#include "base/result.hpp"
#include "mailtest/sink.hpp"
#include "mailtest/surroundings.hpp"
#include "vm/machine.hpp"
#include "vm/process.hpp"

namespace mailstead::mailtest {

/// A record of the world's name server.
struct DnsRecord {
  std::string name;   ///< without the final dot
  std::string type;   ///< A, AAAA, MX, TXT, SRV, PTR, CNAME, CAA, TLSA
  std::string value;  ///< as in a master file; for TXT the joined text, unquoted
};

/// The site of a world that any machine can be put into: see surround. No host name is without a dot.
inline constexpr const char* kAnySite = "any";

/// The contents of a file `world`.
struct WorldPlan {
  std::string site;  ///< the host name of the appliance that the folder is for, or kAnySite
  NameService names = NameService::gateway;
  PublicNetwork network;
  std::optional<unsigned> mtu;  ///< that the gateway announces by DHCP and router advertisements
  vm::Hardware hardware;        ///< of the machine that the dialogues share
  std::optional<PrivateNetwork> private_network;
  std::vector<DnsRecord> records;
  std::vector<Peer> peers;
};

/// Reads `site`, `names`, `addressing`, `mtu`, `firmware`, `private`, `dns` and `peer` lines, as
/// qemu-tests/README.md describes them. Errors: collected, with places.
Result<WorldPlan> parse_world(std::string_view text, const std::string& file);

/// Gives a plan for any site the network of this one, and the records of its host and of the way back to it.
void surround(WorldPlan& plan, const Surroundings& surroundings, const std::string& hostname);

/// Reads the output of `mailstead dns --json`. Errors: ErrorKind::usage, another form.
Result<std::vector<DnsRecord>> records_from_json(const std::string& text);

/// Configuration of dnsmasq for the gateway's part of the plan: it has these records and no others, gives the
/// appliance its addresses by DHCP, DHCPv6 and router advertisements, and writes the leases to `leases`.
/// Errors: a type or value that dnsmasq cannot express.
Result<std::string> dnsmasq_configuration(const WorldPlan& plan, const std::vector<DnsRecord>& records,
                                          const std::filesystem::path& leases);

/// Everything around the appliance, running: names, addresses, mail servers. Works only inside run_enclosed.
class World {
 public:
  /// `zone`: the appliance's own records. `folder`: for logs and configuration. Errors: those of
  /// make_network; dnsmasq or nsd is missing, ends at once, or is not ready within 10 s times `time_scale`.
  static Result<std::unique_ptr<World>> start(const WorldPlan& plan, const std::vector<DnsRecord>& zone,
                                              const std::filesystem::path& folder, double time_scale = 1.0);
  /// The machine's cards, on tap devices that are open as long as the world exists.
  vm::TapNetwork cards() const;
  Inbox& inbox() { return inbox_; }
  /// The last `lines` lines of the gateway's log about addresses: DHCP, DHCPv6, router advertisements. Empty
  /// if it gives none.
  std::string address_log(std::size_t lines) const;

 private:
  World() = default;
  Status serve(const vm::Daemon& daemon, const std::function<bool()>& ready, Deadline deadline);
  FileDescriptor tap_;
  FileDescriptor private_tap_;
  std::string mac_;
  std::optional<PrivateNetwork> private_network_;
  std::filesystem::path gateway_log_;
  Inbox inbox_;
  std::vector<std::unique_ptr<SmtpSink>> sinks_;
  std::vector<vm::Process> servers_;
};

}  // namespace mailstead::mailtest
