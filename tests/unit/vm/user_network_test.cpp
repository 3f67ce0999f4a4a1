// SPDX-License-Identifier: GPL-3.0-or-later
#include "vm/user_network.hpp"

#include "base/files.hpp"
#include "support/catch.hpp"
#include "vm/machine.hpp"

using namespace mailstead;
using namespace mailstead::vm;

TEST_CASE("a guest with an address of its own gets a network of QEMU's that fits") {
  const auto network = [](const std::string& guest, const std::string& gateway) {
    const auto all = user_addresses(guest, gateway);
    return all ? all->network + " " + all->gateway + " " + all->nameserver + " " + all->guest
               : all.error().message;
  };
  CHECK(network("203.0.113.10/24", "203.0.113.1") == "203.0.113.0/24 203.0.113.1 203.0.113.2 203.0.113.10");
  CHECK(network("203.0.113.1/24", "203.0.113.2") == "203.0.113.0/24 203.0.113.2 203.0.113.3 203.0.113.1");
  CHECK(network("10.1.2.3/8", "10.9.9.9") == "10.0.0.0/8 10.9.9.9 10.0.0.1 10.1.2.3");
  // Too small for QEMU's needs, or for the gateway: the network is larger than the guest believes.
  CHECK(network("192.0.2.7/31", "192.0.2.6") == "192.0.2.0/29 192.0.2.6 192.0.2.1 192.0.2.7");
  CHECK(network("192.0.2.77/32", "192.0.2.1") == "192.0.2.0/25 192.0.2.1 192.0.2.2 192.0.2.77");
  CHECK(network("203.0.113.5/32", "172.31.1.1") ==
        "QEMU has no network that holds both 203.0.113.5/32 and the gateway 172.31.1.1");
  CHECK(network("1.2.3.4/2", "1.2.3.5") ==
        "QEMU has no network that holds both 1.2.3.4/2 and the gateway 1.2.3.5");
  for (const char* wrong : {"2001:db8::1/64", "192.0.2.1", "192.0.2.1/", "192.0.2.1/33", ""})
    CHECK_FALSE(user_addresses(wrong, "192.0.2.2").has_value());
}

TEST_CASE("QEMU accepts the networks that are made for it") {
  const auto folder = TemporaryDirectory::create().value();
  for (const auto& [guest, gateway] :
       {std::pair("203.0.113.2/24", "203.0.113.3"), std::pair("192.0.2.7/31", "192.0.2.6"),
        std::pair("30.0.0.3/4", "17.0.0.1")}) {
    INFO(guest);
    MachineOptions options;
    options.image = folder.path() / "disk.img";
    options.folder = folder.path();
    options.memory_mib = 64;
    REQUIRE(write_file(options.image, std::string(1 << 20, '\0')).has_value());
    UserNetwork network;
    network.addresses = user_addresses(guest, gateway).value();
    options.network = network;
    auto machine = Machine::create(options);
    REQUIRE(machine.has_value());
    const auto started = machine->start();
    if (!started) FAIL(format_error(started.error()));
  }
}
