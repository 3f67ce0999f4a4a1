// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/mail_maps.hpp"

#include <cdb.h>
#include <sys/mman.h>
#include <unistd.h>

#include "render/cdb_file.hpp"
#include "support/catch.hpp"
#include "support/delivery_site.hpp"

using namespace mailstead;
using delivery::account;
using delivery::site;
using render::Entries;
using spec::Address;

TEST_CASE("the mail maps say who gets mail and who may send as whom") {
  const render::MailMaps maps = render::make_mail_maps(delivery::make_graph(site()));
  CHECK(maps.virtual_mailbox_domains ==
        Entries{{"example.net", "example.net"}, {"example.org", "example.org"}});
  CHECK(maps.virtual_mailbox_maps == Entries{{"alice@example.org", "alice@example.org"},
                                             {"bob@example.net", "bob@example.net"},
                                             {"carol@example.net", "carol@example.net"}});
  CHECK(maps.virtual_alias_domains == Entries{{"mail.example.org", "mail.example.org"}});
  CHECK(maps.virtual_alias_maps == Entries{{"@example.net", "bob@example.net"},
                                           {"abuse@example.org", "postmaster@example.org"},
                                           {"abuse@mail.example.org", "postmaster@example.org"},
                                           {"alice@example.org", "alice@elsewhere.example,alice@example.org"},
                                           {"bob@example.net", "bob@example.net"},
                                           {"carol@example.net", "carol@example.net"},
                                           {"mailer-daemon@mail.example.org", "postmaster@example.org"},
                                           {"old@example.org", "x@elsewhere.example"},
                                           {"postmaster@example.org", "alice@example.org"},
                                           {"postmaster@mail.example.org", "postmaster@example.org"},
                                           {"root@mail.example.org", "postmaster@example.org"},
                                           {"team@example.org", "alice@example.org,bob@example.net"}});
  CHECK(maps.smtpd_sender_login_maps == Entries{{"@example.net", "bob@example.net"},
                                                {"abuse@example.org", "alice@example.org"},
                                                {"abuse@mail.example.org", "alice@example.org"},
                                                {"alice@example.org", "alice@example.org"},
                                                {"bob@example.net", "bob@example.net"},
                                                {"carol@example.net", "carol@example.net"},
                                                {"mailer-daemon@mail.example.org", "alice@example.org"},
                                                {"noreply@example.org", "noreply@example.org"},
                                                {"postmaster@example.org", "alice@example.org"},
                                                {"postmaster@mail.example.org", "alice@example.org"},
                                                {"root@mail.example.org", "alice@example.org"},
                                                {"team@example.org", "alice@example.org,bob@example.net"}});
  CHECK(maps.send_only_recipients == Entries{{"noreply@example.org", "550 5.7.1 Nobody reads this"}});
}

TEST_CASE("who has the catch-all writes as what is nobody else's") {
  spec::Site made = site();
  made.domains[1].catch_all = Address{"alice", "example.org"};
  made.accounts[0].aliases.clear();
  const auto owners = render::make_mail_maps(delivery::make_graph(made)).smtpd_sender_login_maps;
  CHECK(owners.at("@example.org") == "alice@example.org");
  // A forward is somebody else's; Postfix looks for the whole address first.
  CHECK(owners.at("old@example.org") == "nobody");
  CHECK(owners.at("noreply@example.org") == "noreply@example.org");
  // Mail to the machine goes to a postmaster whom the catch-all has.
  CHECK(owners.at("postmaster@mail.example.org") == "alice@example.org");
}

TEST_CASE("a shared address of more members than Postfix expands by itself raises the limit") {
  spec::Site made = site();
  CHECK(render::expansion_limit(delivery::make_graph(made)) == 1000);
  for (int i = 0; i < 1500; ++i) {
    made.accounts.push_back(account("user" + std::to_string(i), "example.org"));
    made.aliases[{"all", "example.org"}].push_back(made.accounts.back().address);
  }
  CHECK(render::expansion_limit(delivery::make_graph(made)) > 1500);
}

TEST_CASE("a host name that is a mail domain is not an alias domain") {
  spec::Site made = site();
  made.hostname = "example.org";
  CHECK(render::make_mail_maps(delivery::make_graph(made)).virtual_alias_domains.empty());
  CHECK(render::make_mail_maps(delivery::make_graph(made)).virtual_alias_maps.at("postmaster@example.org") ==
        "alice@example.org");
}

TEST_CASE("an indexed map is read back by the cdb library, and equal entries give equal bytes") {
  Entries entries;
  for (int i = 0; i < 10000; ++i)
    entries["user" + std::to_string(i) + "@example.org"] = "value " + std::to_string(i);
  const auto bytes = render::make_cdb(entries);
  REQUIRE(bytes);
  CHECK(*bytes == *render::make_cdb(entries));
  const int fd = ::memfd_create("test", MFD_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(::write(fd, bytes->data(), bytes->size()) == static_cast<ssize_t>(bytes->size()));
  cdb map;
  REQUIRE(::cdb_init(&map, fd) == 0);
  std::size_t wrong = 0;
  for (const auto& [key, value] : entries) {
    if (::cdb_find(&map, key.data(), static_cast<unsigned>(key.size())) <= 0) {
      ++wrong;
      continue;
    }
    std::string found(cdb_datalen(&map), '\0');
    ::cdb_read(&map, found.data(), static_cast<unsigned>(found.size()), cdb_datapos(&map));
    wrong += found != value;
  }
  CHECK(wrong == 0);
  CHECK(::cdb_find(&map, "nobody", 6) == 0);
  ::cdb_free(&map);
  ::close(fd);
}
