// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/world.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "base/interrupt.hpp"
#include "dns/names.hpp"
#include "mailtest/dialogue.hpp"
#include "mailtest/enclosure.hpp"
#include "mailtest/root_servers.hpp"
#include "mailtest/text.hpp"
#include "platform/boot_method.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {
namespace {

using Clock = std::chrono::steady_clock;

const std::set<std::string>& known_types() {
  static const std::set<std::string> types = {"A", "AAAA", "MX", "TXT", "SRV", "PTR", "CNAME", "CAA", "TLSA"};
  return types;
}

bool is_address(const std::string& text) {
  unsigned char buffer[16];
  return ::inet_pton(AF_INET, text.c_str(), buffer) == 1 || ::inet_pton(AF_INET6, text.c_str(), buffer) == 1;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string without_dot(std::string name) {
  if (!name.empty() && name.back() == '.') name.pop_back();
  return name;
}

// dnsmasq does not know TLSA, so the record is written as bytes (RFC 6698 section 2.1).
Result<std::string> tlsa_option(const DnsRecord& record, const std::vector<std::string>& w) {
  if (w.size() < 4) return fail(ErrorKind::usage, "a TLSA record has four parts");
  std::string octets;
  for (int i = 0; i < 3; ++i) {
    int number = -1;
    std::from_chars(w[i].data(), w[i].data() + w[i].size(), number);
    if (number < 0 || number > 255) return fail(ErrorKind::usage, "a TLSA parameter is 0 to 255");
    octets += static_cast<char>(number);
  }
  std::string digest;
  for (std::size_t i = 3; i < w.size(); ++i) digest += w[i];
  return fmt::format("dns-rr={},52,{}{}\n", record.name, hex(octets), digest);
}

// A text of any length as character strings of at most 255 octets (RFC 1035 section 3.3.14), quoted for
// dnsmasq.
std::string txt_option(const DnsRecord& record) {
  std::string line = "txt-record=" + record.name;
  for (std::size_t at = 0; at < record.value.size() || at == 0; at += 250) {
    line += ",\"";
    for (const char c : record.value.substr(at, 250)) {
      if (c == '"' || c == '\\') line += '\\';
      line += c;
    }
    line += '"';
  }
  return line + "\n";
}

Result<std::string> option_for(const DnsRecord& record) {
  const std::vector<std::string> w = text::to_strings(text::split_words(record.value));
  if (record.name.find_first_of(",\"\n#= ") != std::string::npos ||
      record.value.find('\n') != std::string::npos)
    return fail(ErrorKind::usage,
                "the name server of the test world cannot express the record of " + record.name);
  if (record.type == "TXT") return txt_option(record);
  if (w.empty())
    return fail(ErrorKind::usage, "the " + record.type + " record of " + record.name + " is empty");
  if (record.type == "A" || record.type == "AAAA") {
    if (!is_address(w[0])) return fail(ErrorKind::usage, "'" + w[0] + "' is not an address");
    return fmt::format("host-record={},{}\n", record.name, w[0]);
  }
  if (record.type == "MX" && w.size() == 2)
    return fmt::format("mx-host={},{},{}\n", record.name, without_dot(w[1]), w[0]);
  if (record.type == "SRV" && w.size() == 4)
    return fmt::format("srv-host={},{},{},{},{}\n", record.name, without_dot(w[3]), w[2], w[0], w[1]);
  if (record.type == "PTR") return fmt::format("ptr-record={},{}\n", record.name, without_dot(w[0]));
  if (record.type == "CNAME") return fmt::format("cname={},{}\n", record.name, without_dot(w[0]));
  if (record.type == "TLSA") return tlsa_option(record, w);
  if (record.type == "CAA" && w.size() >= 3) {
    std::string value = w[2];
    std::erase(value, '"');
    return fmt::format("caa-record={},{},{},{}\n", record.name, w[0], w[1], value);
  }
  return fail(ErrorKind::usage, fmt::format("the record {} {} {} is not understood", record.name, record.type,
                                            printable(record.value, 200)));
}

/// Options of dnsmasq for addresses in one of the machine's networks; an empty address is not given.
std::string address_options(const char* tap, const std::string& mac, const std::string& v4,
                            const std::string& v6, std::optional<unsigned> mtu) {
  // ra-param: by default dnsmasq advertises often only in its own first minute, then every ten minutes. A
  // machine that boots later asks more and more rarely, in the end every few minutes (RFC 7559).
  std::string text = fmt::format("interface={}\n", tap);
  if (!v4.empty()) text += fmt::format("dhcp-range={0},{0},255.255.255.0,1h\n", v4);
  if (!v6.empty())
    text += fmt::format("dhcp-range={0},{0},64,1h\nra-param={1},{2}10,1800\n", v6, tap,
                        mtu ? fmt::format("mtu:{},", *mtu) : "");
  if (!v4.empty()) text += fmt::format("dhcp-host={},{}\n", mac, v4);
  if (mtu && !v4.empty()) text += fmt::format("dhcp-option=tag:{},option:mtu,{}\n", tap, *mtu);
  return text;
}

/// The machine's address, if it asks the gateway for it.
std::string asked_for(const std::optional<Family>& family) {
  return family && family->addressing == Addressing::dhcp ? family->address : std::string();
}

bool gives_addresses(const WorldPlan& plan) {
  return !asked_for(plan.network.v4).empty() || !asked_for(plan.network.v6).empty() ||
         (plan.private_network && plan.private_network->addressing == Addressing::dhcp);
}

/// Whether a name server at this IPv4 address answers, with anything.
bool answers_questions(const char* address) {
  // RFC 1035 section 4.1: a header with one question, for the name servers of the root.
  constexpr std::string_view kQuestion("\x4d\x53\0\0\0\1\0\0\0\0\0\0\0\0\2\0\1", 17);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(53);
  ::inet_pton(AF_INET, address, &to.sin_addr);
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // Connected, so that a port without a listener is an error at once.
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 ||
      ::send(socket.get(), kQuestion.data(), kQuestion.size(), 0) < 0)
    return false;
  pollfd entry{socket.get(), POLLIN, 0};
  char answer[512];
  return ::poll(&entry, 1, 500) > 0 && ::recv(socket.get(), answer, sizeof answer, MSG_DONTWAIT) > 0;
}

}  // namespace

Result<WorldPlan> parse_world(std::string_view text, const std::string& file) {
  WorldPlan plan;
  std::vector<Error> errors;
  int number = 0;
  for (const std::string& line : text::to_strings(text::split_lines(text))) {
    ++number;
    const std::vector<std::string> w = text::to_strings(text::split_words(line));
    if (w.empty() || w[0][0] == '#') continue;
    if (w[0] == "dns" && w.size() >= 4 && known_types().count(w[2]) != 0) {
      DnsRecord record{w[1], w[2],
                       line.substr(line.find(w[2], line.find(w[1]) + w[1].size()) + w[2].size() + 1)};
      if (record.type == "TXT") std::erase(record.value, '"');
      if (auto option = option_for(record); !option)
        errors.push_back(error_at(file, number, line, option.error().message));
      plan.records.push_back(std::move(record));
    } else if (w[0] == "peer" && w.size() >= 5 && w[1] == "smtp" && is_address(w[2]) &&
               std::all_of(w.begin() + 5, w.end(),
                           [](const std::string& option) { return option == "tls" || option == "7bit"; })) {
      unsigned port = 0;
      std::from_chars(w[3].data(), w[3].data() + w[3].size(), port);
      if (port == 0 || port > 65535) errors.push_back(error_at(file, number, line, "not a port"));
      const auto has = [&w](const char* option) {
        return std::find(w.begin() + 5, w.end(), option) != w.end();
      };
      plan.peers.push_back({w[2], static_cast<std::uint16_t>(port), w[4], has("tls"), has("7bit")});
    } else if (w[0] == "site" && w.size() == 2) {
      if (!plan.site.empty())
        errors.push_back(error_at(file, number, line, "the world has a 'site' already"));
      plan.site = w[1];
    } else if (w[0] == "names" && w.size() == 2 && (w[1] == "gateway" || w[1] == "root")) {
      plan.names = w[1] == "root" ? NameService::root : NameService::gateway;
    } else if (w[0] == "addressing" && w.size() == 2 && (w[1] == "dhcp" || w[1] == "silent")) {
      plan.network.v4->addressing = plan.network.v6->addressing =
          w[1] == "silent" ? Addressing::silent : Addressing::dhcp;
    } else if (w[0] == "mtu" && w.size() == 2) {
      unsigned mtu = 0;
      const auto [end, status] = std::from_chars(w[1].data(), w[1].data() + w[1].size(), mtu);
      if (status != std::errc() || end != w[1].data() + w[1].size() || mtu < 1280 || mtu > 9000)
        errors.push_back(error_at(file, number, line, "an MTU is 1280 to 9000"));
      plan.mtu = mtu;
    } else if (w[0] == "firmware" && w.size() == 2 && platform::firmware_called(w[1])) {
      plan.hardware.firmware = *platform::firmware_called(w[1]);
    } else if (w[0] == "private" && (w.size() == 2 || (w.size() == 3 && w[2] == "first")) &&
               (w[1] == "dhcp" || w[1] == "silent")) {
      plan.private_network = PrivateNetwork{w[1] == "silent" ? Addressing::silent : Addressing::dhcp,
                                            w.size() == 3, kPrivateMac};
    } else {
      errors.push_back(error_at(file, number, line, "this line is not understood",
                                "write: site HOSTNAME, names gateway|root, addressing dhcp|silent, "
                                "mtu BYTES, firmware NAME, private dhcp|silent [first], "
                                "dns NAME TYPE VALUE, or peer smtp ADDRESS PORT NAME [tls] [7bit]"));
    }
  }
  if (plan.site.empty())
    errors.push_back(error_at(file, 1, "", "the world does not say for which appliance it is",
                              "add a line 'site HOSTNAME' with the host name of its spec"));
  if (!errors.empty()) return fail(join_errors(std::move(errors)));
  return plan;
}

void surround(WorldPlan& plan, const Surroundings& surroundings, const std::string& hostname) {
  plan.names = surroundings.names;
  plan.network = surroundings.network;
  plan.private_network = surroundings.private_network;
  for (const auto* family : {&plan.network.v4, &plan.network.v6}) {
    if (!*family) continue;
    const std::string& address = (*family)->address;
    plan.records.push_back({hostname, family == &plan.network.v4 ? "A" : "AAAA", address});
    if (const auto parsed = dns::parse_address(address))
      plan.records.push_back({parsed->reverse_name, "PTR", hostname});
  }
}

Result<std::vector<DnsRecord>> records_from_json(const std::string& text) {
  try {
    std::vector<DnsRecord> records;
    const nlohmann::json zone = nlohmann::json::parse(text);
    for (const nlohmann::json& entry : zone.at("records")) {
      DnsRecord record{entry.at("name"), entry.at("type"), entry.value("value", "")};
      if (record.type == "TXT") {
        record.value.clear();
        for (const nlohmann::json& part : entry.at("texts")) record.value += part.get<std::string>();
      }
      // Placeholders stand for addresses that are not in the spec; the world has the records.
      const bool address = record.type == "A" || record.type == "AAAA";
      if (known_types().count(record.type) != 0 && (!address || is_address(record.value)))
        records.push_back(std::move(record));
    }
    return records;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorKind::usage,
                std::string("the zone is not as 'mailstead dns --json' prints it: ") + error.what());
  }
}

Result<std::string> dnsmasq_configuration(const WorldPlan& plan, const std::vector<DnsRecord>& records,
                                          const std::filesystem::path& leases) {
  std::string text =
      "no-resolv\nno-hosts\nkeep-in-foreground\nlog-facility=-\nlog-queries\npid-file=\n"
      "interface=tap0\nexcept-interface=lo\nbind-dynamic\n";
  const bool private_addresses = plan.private_network && plan.private_network->addressing == Addressing::dhcp;
  if (gives_addresses(plan))
    text += fmt::format(
        "dhcp-authoritative\nlog-dhcp\nenable-ra\ndhcp-leasefile={}\ndhcp-option=option:ntp-server,{}\n",
        leases.string(), kGateway);
  const std::string v4 = asked_for(plan.network.v4);
  const std::string v6 = asked_for(plan.network.v6);
  if (!v4.empty() || !v6.empty()) text += address_options("tap0", plan.network.mac, v4, v6, plan.mtu);
  if (private_addresses)
    text += address_options("tap1", plan.private_network->mac, kPrivateAppliance, kPrivateAppliance6,
                            std::nullopt);
  // port 0: no name server at all.
  if (plan.names != NameService::gateway) return text + "port=0\n";
  text += "local=/#/\nlocal-ttl=60\nedns-packet-max=1232\n";
  for (const DnsRecord& record : records) {
    TRY(const std::string option, option_for(record));
    text += option;
  }
  return text;
}

Result<std::unique_ptr<World>> World::start(const WorldPlan& plan, const std::vector<DnsRecord>& zone,
                                            const std::filesystem::path& folder, double time_scale) {
  const Deadline deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::seconds(10) * time_scale);
  std::unique_ptr<World> world(new World());
  TRY(world->tap_, make_network(plan.network));
  world->mac_ = plan.network.mac;
  if (plan.private_network) {
    TRY(world->private_tap_, make_private_network());
    world->private_network_ = plan.private_network;
  }
  std::vector<DnsRecord> records = plan.records;
  // Records of the world replace those of the zone with the same name and type, addresses above all.
  std::set<std::pair<std::string, std::string>> said;
  for (const DnsRecord& record : plan.records) said.emplace(record.name, record.type);
  for (const DnsRecord& record : zone)
    if (said.count({record.name, record.type}) == 0) records.push_back(record);
  if (gives_addresses(plan) || plan.names == NameService::gateway) {
    TRY(const std::string configuration, dnsmasq_configuration(plan, records, folder / "dnsmasq.leases"));
    CHECK_OK(write_file(folder / "dnsmasq.conf", configuration));
    world->gateway_log_ = folder / "dnsmasq.log";
    // --no-daemon: in a user namespace there is no other user to change to.
    const auto ready = [&] {
      if (plan.names == NameService::gateway) return answers_questions(plan.network.gateway4().c_str());
      // Without names there is no question to probe it with.
      const auto log = read_file(world->gateway_log_);
      return log && log->find(": started, version ") != std::string::npos;
    };
    CHECK_OK(world->serve({{"dnsmasq", "--no-daemon", "--conf-file=" + (folder / "dnsmasq.conf").string()},
                           world->gateway_log_,
                           {},
                           false},
                          ready, deadline));
  }
  if (plan.names == NameService::root) {
    TRY(const vm::Daemon root, prepare_root_servers(records, folder));
    CHECK_OK(world->serve(root, [] { return answers_questions(kFirstRootServer); }, deadline));
  }
  for (const Peer& peer : plan.peers) {
    TRY(auto sink, SmtpSink::start(peer, world->inbox_));
    world->sinks_.push_back(std::move(sink));
  }
  return world;
}

vm::TapNetwork World::cards() const {
  vm::TapNetwork network{{{tap_.get(), mac_}}, private_network_ && private_network_->first};
  if (private_network_) network.cards.push_back({private_tap_.get(), private_network_->mac});
  return network;
}

std::string World::address_log(std::size_t lines) const {
  std::vector<std::string> said;
  if (const auto log = read_file(gateway_log_, 64u << 20))
    for (const std::string& line : text::to_strings(text::split_lines(*log)))
      if (line.find("dnsmasq-dhcp") != std::string::npos) said.push_back(line);
  std::string text;
  for (std::size_t i = said.size() - std::min(said.size(), lines); i < said.size(); ++i)
    text += said[i] + "\n";
  return text;
}

Status World::serve(const vm::Daemon& daemon, const std::function<bool()>& ready, Deadline deadline) {
  TRY(vm::Process server, vm::Process::start(daemon));
  while (!ready()) {
    CHECK_OK(check_interrupt());
    const auto ending = server.wait(std::chrono::milliseconds(20));
    if (!ending && Clock::now() < deadline) continue;
    const std::string what = ending ? "ended with " + ending->describe() : "did not become ready";
    return fail(ErrorKind::tool, fmt::format("{} of the test world {}:\n{}", daemon.argv[0], what,
                                             vm::tail(server.log(), 10)));
  }
  servers_.push_back(std::move(server));
  return ok();
}

}  // namespace mailstead::mailtest
