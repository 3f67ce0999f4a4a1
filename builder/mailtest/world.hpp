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
#include "vm/machine.hpp"
#include "vm/process.hpp"

namespace mailstead::mailtest {

/// A record that the world's name server gives.
struct DnsRecord {
  std::string name;   ///< without the final dot
  std::string type;   ///< A, AAAA, MX, TXT, SRV, PTR, CNAME, CAA, TLSA
  std::string value;  ///< as in a master file; for TXT the joined text, unquoted
};

/// Who answers the names of a world.
enum class NameService {
  gateway,  ///< a forwarder at the gateway's address, as a provider has it
  root,     ///< the root servers, at their real addresses
};

/// How a machine of a world comes to its addresses.
enum class Addressing {
  dhcp,    ///< DHCP, DHCPv6 and router advertisements
  silent,  ///< nobody tells: the machine knows its addresses and gateways itself
};

/// A second card of the machine, on a private network.
struct PrivateNetwork {
  Addressing addressing = Addressing::dhcp;
  bool first = false;  ///< it stands before the other card on the bus
};

/// What the file `world` of a folder of qemu-tests/ says.
struct WorldPlan {
  std::string site;  ///< the host name of the appliance that the folder is for
  NameService names = NameService::gateway;
  Addressing addressing = Addressing::dhcp;
  std::optional<unsigned> mtu;  ///< that the gateway tells by DHCP and router advertisements
  std::optional<PrivateNetwork> private_network;
  std::vector<DnsRecord> records;
  std::vector<Peer> peers;
};

/// Reads `site`, `names`, `addressing`, `mtu`, `private`, `dns` and `peer` lines, as qemu-tests/README.md
/// describes them. Errors: collected, with places.
Result<WorldPlan> parse_world(std::string_view text, const std::string& file);

/// The records that `mailstead dns --json` prints. Errors: ErrorKind::usage, not that form.
Result<std::vector<DnsRecord>> records_from_json(const std::string& text);

/// Configuration of dnsmasq for what the plan leaves to the gateway: answers these records and nothing else,
/// gives the appliance its addresses by DHCP, DHCPv6 and router advertisements, and notes them in `leases`.
/// Errors: a type or value that it cannot express.
Result<std::string> dnsmasq_configuration(const WorldPlan& plan, const std::vector<DnsRecord>& records,
                                          const std::filesystem::path& leases);

/// Everything around the appliance, running: names, addresses, mail servers. To be made inside run_enclosed.
class World {
 public:
  /// `zone`: the appliance's own records. `folder`: for logs and configuration. Errors: as in make_network;
  /// no dnsmasq or nsd, or one that ends at once, or is not ready within 10 s times `time_scale`.
  static Result<std::unique_ptr<World>> start(const WorldPlan& plan, const std::vector<DnsRecord>& zone,
                                              const std::filesystem::path& folder, double time_scale = 1.0);
  /// The machine's cards, on tap devices that are open as long as the world is there.
  vm::TapNetwork cards() const;
  Inbox& inbox() { return inbox_; }
  /// The last `lines` things that the gateway said about addresses: DHCP, DHCPv6, router advertisements.
  /// Empty where it gives none.
  std::string address_log(std::size_t lines) const;

 private:
  World() = default;
  Status serve(const vm::Daemon& daemon, const std::function<bool()>& ready, Deadline deadline);
  FileDescriptor tap_;
  FileDescriptor private_tap_;
  bool private_first_ = false;
  std::filesystem::path gateway_log_;
  Inbox inbox_;
  std::vector<std::unique_ptr<SmtpSink>> sinks_;
  std::vector<vm::Process> servers_;
};

}  // namespace mailstead::mailtest
