// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/files.hpp"
#include "overlay/overlay.hpp"
#include "support/catch.hpp"

using namespace mailstead;

namespace {

/// The services of overlays "a", "b", … whose manifests hold these texts.
Result<std::vector<overlay::Service>> services(const std::vector<std::string>& texts) {
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder);
  std::vector<std::string> names;
  for (const std::string& text : texts) {
    names.emplace_back(1, static_cast<char>('a' + names.size()));
    const auto place = folder->path() / "rootfs-overlays" / names.back();
    REQUIRE(make_directories(place));
    REQUIRE(write_file(place / "manifest.yaml", "description: x\nservices: {" + text + "}\n"));
  }
  TRY(const auto overlays, overlay::load_overlays(folder->path(), names));
  return overlay::merge_services(overlays);
}

}  // namespace

TEST_CASE("services keep the order of their overlays, and have defaults") {
  const auto read =
      services({"imaps: {title: IMAPS, port: 993, passwords: true, srv: {name: _imaps, priority: 10}}, "
                "pop3: {srv: {name: _pop3, denies: true}}",
                "ssh: {port: 22, when: ssh.enabled}"});
  if (!read) FAIL(format_error(read.error()));
  REQUIRE(read->size() == 3);
  CHECK((*read)[0].title == "IMAPS");
  CHECK((*read)[0].port == 993);
  CHECK((*read)[0].passwords);
  CHECK((*read)[0].srv == "_imaps");
  CHECK((*read)[0].srv_priority == 10);
  CHECK_FALSE((*read)[0].srv_denies);
  CHECK_FALSE((*read)[1].port);
  CHECK((*read)[1].srv_denies);
  CHECK((*read)[2].title == "ssh");
  CHECK((*read)[2].when == "ssh.enabled");
  CHECK((*read)[2].srv.empty());
}

TEST_CASE("services that would be in each other's way are refused") {
  const auto message = [](const std::vector<std::string>& texts) {
    const auto read = services(texts);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::usage);
    return read.error().message;
  };
  CHECK(message({"imaps: {port: 993}", "imaps: {port: 994}"}) == "two overlays have a service 'imaps'");
  CHECK(message({"imaps: {port: 993}", "other: {port: 993}"}) ==
        "the services 'imaps' and 'other' have the same port 993");
  // Of two records of one name, a mail program takes either.
  CHECK(message({"imaps: {port: 993, srv: {name: _imaps}}",
                 "other: {port: 994, srv: {name: _IMAPS, priority: 5}}"}) ==
        "the services 'imaps' and 'other' have the same SRV record '_IMAPS'");
  CHECK(message({"imap: {srv: {name: _imap, denies: true}}, imap-plain: {port: 143, srv: {name: _imap}}"}) ==
        "the services 'imap' and 'imap-plain' have the same SRV record '_imap'");
  CHECK(message({"imaps: {}"}) == "the service 'imaps' has no port");
  CHECK(message({"pop3: {srv: {name: _pop3}}"}) == "the service 'pop3' has no port");
  CHECK(message({"imaps: {port: 993, srv: {name: imaps}}"}) ==
        "'imaps' is not a service name of SRV records");
  CHECK_FALSE(services({"imaps: {port: 65536}"}));
  CHECK_FALSE(services({"imaps: {port: 0}"}));
}
