// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

#include "base/files.hpp"
#include "base/reporter.hpp"
#include "base/result.hpp"
#include "mailtest/surroundings.hpp"

namespace mailstead::mailtest {

/// Runs `work` in a child process with user, network and mount namespaces of its own, where it can add
/// devices and addresses without being root, and from which no packet leaves. The child reports its progress
/// to `reporter`; returns the string or the error that `work` returned. The child ends if this process ends.
/// Errors: the system forbids such namespaces (with the remedy), the child crashed.
Result<std::string> run_enclosed(const std::function<Result<std::string>(Reporter&)>& work,
                                 Reporter& reporter);

/// Inside run_enclosed: the loopback device up, a tap device "tap0" up with the addresses of the gateway and
/// of further name servers, and the networks of the outside peers routed to this host. Returns the tap's
/// descriptor for QEMU. Errors: no /dev/net/tun, no `ip`.
Result<FileDescriptor> make_network(const PublicNetwork& network = {});
/// The same, after make_network: "tap1" up, with this host's addresses in the private network.
Result<FileDescriptor> make_private_network();

}  // namespace mailstead::mailtest
