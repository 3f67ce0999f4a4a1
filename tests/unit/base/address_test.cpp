// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/address.hpp"

#include "support/catch.hpp"

namespace mailstead {
namespace {

TEST_CASE("an address is shown without user and password, and used with them") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"http://mirror.example/debian", "http://mirror.example/debian"},
      {"http://user:secret@mirror.example/debian", "http://mirror.example/debian"},
      {"https://user@mirror.example:8080/debian", "https://mirror.example:8080/debian"},
      {"http://us%40er:s%2fec:ret@[2001:db8::1]:80/debian", "http://[2001:db8::1]:80/debian"},
      {"http://[::1]", "http://[::1]"},
      {"socks5h://user:secret@proxy.example:1080", "socks5h://proxy.example:1080"},
      {"file:///srv/debian", "file:///srv/debian"},
      {"cdrom:[Debian]/", "cdrom:[Debian]/"},
      // no valid addresses, whose passwords are none the less
      {"user:secret@mirror.example/debian", "mirror.example/debian"},
      {"http:/user:secret@mirror.example/debian", "mirror.example/debian"},
      {"http://user:sec/ret@mirror.example/debian", "http://mirror.example/debian"},
      {"http://user:sec@ret@mirror.example/debian", "http://mirror.example/debian"},
      {"http://user:sec#ret?@mirror.example/debian", "http://mirror.example/debian"},
      {"http://user:secret", "http://user"},
      {"http://", "http://"},
      {"", ""},
  };
  for (const auto& [exact, shown] : cases) {
    INFO(exact);
    CHECK(Address(exact).exact() == exact);
    CHECK(Address(exact).shown() == shown);
    CHECK(fmt::format("{}", Address(exact)) == shown);
  }
}

TEST_CASE("the host of an address") {
  CHECK(Address("http://user:secret@mirror.example:80/debian").host() == "mirror.example");
  CHECK(Address("http://[2001:db8::1]:80/debian").host() == "[2001:db8::1]");
  CHECK(Address("https://mirror.example").host() == "mirror.example");
  CHECK(Address("file:///srv/debian").host().empty());
  CHECK(Address("mirror.example").host().empty());
}

TEST_CASE("texts of other programs lose the users and passwords in their addresses") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"E: Failed to fetch http://us:p%40w@m.example/debian/dists/x/InRelease  401  Unauthorized [IP: "
       "127.0.0.1 80]",
       "E: Failed to fetch http://m.example/debian/dists/x/InRelease  401  Unauthorized [IP: 127.0.0.1 80]"},
      {"'https://a:b@h/x' and \"http://c@[::1]:8/y\", mail to root@example.org",
       "'https://h/x' and \"http://[::1]:8/y\", mail to root@example.org"},
      {"redirected to http://user:secret@portal.example/login?user=a@b.example",
       "redirected to http://portal.example/login?user=a@b.example"},
      {"http://user:se/cret@m.example", "http://m.example"},
      {"no address: a://", "no address: a://"},
      {"://x:y@z", "://z"},
      {"", ""},
  };
  for (const auto& [text, shown] : cases) CHECK(without_credentials(text) == shown);
}

}  // namespace
}  // namespace mailstead
