// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rootfs/file_tree.hpp"

namespace mailstead::inspect {

/// Units that the root file system enables (systemd.unit(5): links in /etc/systemd/system/*.wants and
/// *.requires) and does not mask, sorted. What systemd's own package starts is not among them.
std::vector<std::string> enabled_units(const rootfs::FileTree& root);

/// A port that the packet filter lets in.
struct OpenPort {
  std::string protocol;  ///< "tcp" or "udp"
  std::string ports;     ///< "25", "1000-2000"
  std::string comment;   ///< what the rule says it is for; may be empty
  friend bool operator==(const OpenPort&, const OpenPort&) = default;
};

/// The ports in nftables' rules as our template writes them: lines with "tcp dport PORT … accept". Rules that
/// another hand wrote in other ways are not understood.
std::vector<OpenPort> open_ports(std::string_view rules);

}  // namespace mailstead::inspect
