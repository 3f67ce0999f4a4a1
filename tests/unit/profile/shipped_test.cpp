// SPDX-License-Identifier: GPL-3.0-or-later
// The files of profiles/ as they are shipped.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "profile/profile.hpp"
#include "support/catch.hpp"

using namespace mailstead;

namespace {
const std::filesystem::path kData = MAILSTEAD_SOURCE_DIR;
}

TEST_CASE("the shipped profile, accounts and reviews are readable") {
  const auto profile = profile::load_profile(kData, GENERATE("cloud-amd64", "server-amd64"));
  REQUIRE(profile);
  for (const std::string& overlay : profile->overlays) {
    INFO(overlay);
    CHECK(std::filesystem::exists(kData / "rootfs-overlays" / overlay / "manifest.yaml"));
  }
  // A serial console without "quiet" is how an accelerator is known to work.
  const auto& arguments = profile->kernel_arguments;
  CHECK(std::find(arguments.begin(), arguments.end(), "quiet") == arguments.end());
  CHECK(std::find(arguments.begin(), arguments.end(), "console=ttyS0,115200n8") != arguments.end());
  // Licence files stay, whatever else of the documentation goes.
  CHECK(std::find(profile->keep.begin(), profile->keep.end(), "usr/share/doc/*/copyright") !=
        profile->keep.end());

  REQUIRE(profile::load_accounts(kData));
  const auto reviews = profile::load_reviews(kData);
  REQUIRE(reviews);
  CHECK(reviews->size() > 50);
}

TEST_CASE("numbers that files on data partitions carry have not changed") {
  // Never change a line here; add one for a new account (see profiles/accounts.yaml).
  const std::map<std::string, std::uint32_t> users = {{"root", 0},
                                                      {"mail", 8},
                                                      {"www-data", 33},
                                                      {"systemd-network", 401},
                                                      {"postfix", 411},
                                                      {"dovecot", 413},
                                                      {"dovenull", 414},
                                                      {"_rspamd", 415},
                                                      {"valkey", 416},
                                                      {"unbound", 417},
                                                      {"_chrony", 418},
                                                      {"sshd", 419},
                                                      {"_rspamd-signing", 420},
                                                      {"vmail", 5000},
                                                      {"nobody", 65534}};
  const std::map<std::string, std::uint32_t> groups = {{"root", 0},
                                                       {"mail", 8},
                                                       {"shadow", 42},
                                                       {"systemd-journal", 400},
                                                       {"systemd-network", 401},
                                                       {"input", 402},
                                                       {"sgx", 403},
                                                       {"clock", 404},
                                                       {"kvm", 405},
                                                       {"render", 406},
                                                       {"ssl-cert", 410},
                                                       {"postfix", 411},
                                                       {"postdrop", 412},
                                                       {"dovecot", 413},
                                                       {"dovenull", 414},
                                                       {"_rspamd", 415},
                                                       {"valkey", 416},
                                                       {"unbound", 417},
                                                       {"_chrony", 418},
                                                       {"_rspamd-signing", 420},
                                                       {"vmail", 5000},
                                                       {"nogroup", 65534}};
  const auto accounts = profile::load_accounts(kData);
  REQUIRE(accounts);
  std::map<std::string, std::uint32_t> have_users;
  std::map<std::string, std::uint32_t> have_groups;
  for (const auto& user : accounts->users) have_users[user.name] = user.uid;
  for (const auto& group : accounts->groups) have_groups[group.name] = group.gid;
  for (const auto& [name, id] : users) {
    INFO(name);
    REQUIRE(have_users.contains(name));
    CHECK(have_users[name] == id);
  }
  for (const auto& [name, id] : groups) {
    INFO(name);
    REQUIRE(have_groups.contains(name));
    CHECK(have_groups[name] == id);
  }
  for (const auto& user : accounts->users) {
    INFO(user.name);
    CHECK((user.shell == "/usr/sbin/nologin" || user.name == "root"));
  }
}
