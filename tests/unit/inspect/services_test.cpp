// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/services.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::inspect;

namespace {

void link(rootfs::FileTree& tree, const char* path, const char* target) {
  rootfs::Inode inode;
  inode.type = rootfs::FileType::symlink;
  inode.target = target;
  REQUIRE(tree.put(path, inode));
}

}  // namespace

TEST_CASE("Units are enabled by a link in a folder of wants, unless they are masked") {
  rootfs::FileTree tree;
  link(tree, "etc/systemd/system/multi-user.target.wants/postfix.service",
       "/usr/lib/systemd/system/postfix.service");
  link(tree, "etc/systemd/system/x.service.requires/unbound.service",
       "/usr/lib/systemd/system/unbound.service");
  link(tree, "etc/systemd/system/network-online.target.wants/wait.service",
       "/usr/lib/systemd/system/wait.service");
  link(tree, "etc/systemd/system/wait.service", "/dev/null");
  link(tree, "etc/systemd/system/valkey.service", "/usr/lib/systemd/system/valkey-server.service");
  link(tree, "usr/lib/systemd/system/sysinit.target.wants/own.service", "../own.service");
  CHECK(enabled_units(tree) == std::vector<std::string>{"postfix.service", "unbound.service"});
}

TEST_CASE("Open ports are those that a rule accepts") {
  const auto ports = open_ports(R"(
		# tcp dport 1 accept
		udp sport 67 udp dport 68 accept
		tcp dport 25 counter accept comment "SMTP"
		tcp dport 26 counter drop
		tcp dport 1000-2000 accept)");
  CHECK(ports == std::vector<OpenPort>{
                     {"udp", "68", "from port 67"}, {"tcp", "25", "SMTP"}, {"tcp", "1000-2000", ""}});
  CHECK(open_ports("").empty());
}
