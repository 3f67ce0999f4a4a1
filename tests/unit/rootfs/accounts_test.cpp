// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/accounts.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::rootfs;

namespace {

overlay::Accounts ordinary() {
  overlay::Accounts accounts;
  accounts.users = {{"root", 0, "root", "root", "/root", "/bin/bash"},
                    {"postfix", 401, "postfix", "Postfix, the mailer", "/nonexistent", "/usr/sbin/nologin"}};
  accounts.groups = {
      {"root", 0, {}}, {"shadow", 42, {}}, {"postfix", 401, {}}, {"tls", 402, {"postfix", "root"}}};
  return accounts;
}

std::string text_of(const FileTree& tree, std::string_view path) {
  return tree.find(path)->content.read().value();
}

std::string refusal(const overlay::Accounts& accounts) {
  FileTree tree;
  const auto status = write_accounts(accounts, 5, tree);
  if (status) return "accepted";
  CHECK(status.error().kind == ErrorKind::usage);
  CHECK(tree.empty());
  return status.error().message;
}

}  // namespace

TEST_CASE("Accounts become the six files") {
  FileTree tree;
  REQUIRE(write_accounts(ordinary(), 5, tree));
  CHECK(text_of(tree, "etc/passwd") ==
        "root:x:0:0:root:/root:/bin/bash\npostfix:x:401:401:Postfix, the "
        "mailer:/nonexistent:/usr/sbin/nologin\n");
  CHECK(text_of(tree, "etc/group") == "root:x:0:\nshadow:x:42:\npostfix:x:401:\ntls:x:402:postfix,root\n");
  CHECK(text_of(tree, "etc/shadow") == "root:!*:::::::\npostfix:!*:::::::\n");
  CHECK(text_of(tree, "etc/gshadow") == "root:!*::\nshadow:!*::\npostfix:!*::\ntls:!*::postfix,root\n");
  CHECK(text_of(tree, "etc/subuid").empty());
  CHECK(text_of(tree, "etc/subgid").empty());
  CHECK(tree.find("etc/passwd")->mode == 0644);
  CHECK(tree.find("etc/shadow")->mode == 0640);
  CHECK(tree.find("etc/shadow")->gid == 42);
  CHECK(tree.find("etc/gshadow")->mode == 0640);
  CHECK(tree.find("etc/passwd")->mtime == 5);
}

TEST_CASE("Without a group shadow, only root reads the passwords") {
  auto accounts = ordinary();
  accounts.groups.erase(accounts.groups.begin() + 1);
  FileTree tree;
  REQUIRE(write_accounts(accounts, 5, tree));
  CHECK(tree.find("etc/shadow")->mode == 0600);
  CHECK(tree.find("etc/shadow")->gid == 0);
}

TEST_CASE("Accounts that would break the files are refused") {
  auto accounts = ordinary();
  accounts.users[1].name = "a:b";
  CHECK(refusal(accounts) == "invalid name of a user: 'a:b'");
  accounts = ordinary();
  accounts.users[1].description = "x\nroot2:x:0:0::/:/bin/sh";
  CHECK(refusal(accounts) == "user postfix has ':' or a control character in a field");
  accounts = ordinary();
  accounts.users[1].uid = 0;
  CHECK(refusal(accounts) == "user postfix has id 0, which is taken");
  accounts = ordinary();
  accounts.groups[3].gid = 401;
  CHECK(refusal(accounts) == "group tls has id 401, which is taken");
  accounts = ordinary();
  accounts.groups[3].gid = 0xffffffff;
  CHECK(refusal(accounts) != "accepted");
  accounts = ordinary();
  accounts.users[1].name = "root";
  CHECK(refusal(accounts) == "user root twice");
  accounts = ordinary();
  accounts.users[1].group = "missing";
  CHECK(refusal(accounts) == "user postfix has primary group 'missing', which does not exist");
  accounts = ordinary();
  accounts.groups[3].members = {"nobody"};
  CHECK(refusal(accounts) == "group tls has member 'nobody', which does not exist");
  accounts = ordinary();
  accounts.users[1].home = "";
  CHECK(refusal(accounts) == "home and shell of user postfix have to be absolute paths");
}

TEST_CASE("Owners are found by name") {
  CHECK(resolve_owner(ordinary(), "postfix").value() == 401);
  CHECK(resolve_group(ordinary(), "tls").value() == 402);
  CHECK(resolve_owner(ordinary(), "tls").error().message == "there is no user 'tls'");
  CHECK(resolve_group(ordinary(), "nobody").error().message == "there is no group 'nobody'");
}
