// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/remote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "support/made_disk.hpp"
#include "update/manifest.hpp"
#include "update/ssh.hpp"

using namespace mailstead;
using namespace mailstead::test;

namespace {

spec::Site site_in(const std::filesystem::path& folder) {
  spec::Site site;
  site.hostname = "mail.example.org";
  site.updates.ssh = true;
  site.updates.private_key = folder / "id_ed25519";
  site.updates.public_key = folder / "id_ed25519.pub";
  std::ofstream(site.updates.private_key) << "key";
  return site;
}

TemporaryDirectory folder() {
  auto made = TemporaryDirectory::create();
  REQUIRE(made);
  return *std::move(made);
}

}  // namespace

TEST_CASE("a machine is named as people write addresses") {
  const auto home = folder();
  const spec::Site site = site_in(home.path());
  struct Row {
    const char* text;
    const char* host;
    int port;
  };
  for (const Row& row :
       {Row{"mail.example.org", "mail.example.org", 22}, Row{"mail:2222", "mail", 2222},
        Row{"192.0.2.5", "192.0.2.5", 22}, Row{"192.0.2.5:22022", "192.0.2.5", 22022},
        Row{"2001:db8::5", "2001:db8::5", 22}, Row{"[2001:db8::5]", "2001:db8::5", 22},
        Row{"[2001:db8::5]:2222", "2001:db8::5", 2222}, Row{"fe80::1%eth0", "fe80::1%eth0", 22}}) {
    INFO(row.text);
    const auto remote = update::make_remote(row.text, site);
    REQUIRE(remote);
    CHECK(remote->host == row.host);
    CHECK(remote->port == row.port);
    CHECK(remote->hostname == "mail.example.org");
    CHECK(remote->known_hosts == home.path() / "known_hosts");
  }
  for (const char* text : {"", ":22", "mail:", "mail:0", "mail:65536", "mail:ssh", "mail:-1", "mail: 22",
                           "root@mail", "-oProxyCommand=id", "mail;id", "mail example", "[::1", "[::1]22",
                           "[]:22", "a\nb", "a$(id)", "mail:2 2"}) {
    INFO(text);
    const auto remote = update::make_remote(text, site);
    REQUIRE_FALSE(remote);
    CHECK(remote.error().kind == ErrorKind::usage);
    CHECK_FALSE(remote.error().hint.empty());
  }
}

TEST_CASE("without updates in the spec, or without the key, there is no machine to reach") {
  const auto home = folder();
  spec::Site site = site_in(home.path());
  std::filesystem::remove(site.updates.private_key);
  CHECK_FALSE(update::make_remote("mail", site));
  site = site_in(home.path());
  site.updates.ssh = false;
  CHECK_FALSE(update::make_remote("mail", site));
}

TEST_CASE("what ssh says becomes an error with its remedy") {
  const auto home = folder();
  const auto remote = update::make_remote("192.0.2.5", site_in(home.path()));
  REQUIRE(remote);
  struct Row {
    const char* said;
    ErrorKind kind;
    const char* message;
  };
  for (const Row& row :
       {Row{"No ED25519 host key is known for mail.example.org and you have requested strict checking.\n"
            "Host key verification failed.\n",
            ErrorKind::usage, "the host key of 192.0.2.5 is not known yet"},
        Row{"@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.\n",
            ErrorKind::integrity, "192.0.2.5 shows another host key than before"},
        Row{"root@192.0.2.5: Permission denied (publickey).\n", ErrorKind::usage,
            "192.0.2.5 does not accept this site's key of updates"},
        Row{"x\r\nssh: connect to host 192.0.2.5 port 22: No route to host\r\n", ErrorKind::network,
            "no connection to 192.0.2.5: ssh: connect to host 192.0.2.5 port 22: No route to host"},
        Row{"\x1b[2Jgone", ErrorKind::network, "no connection to 192.0.2.5: \\x1b[2Jgone"},
        Row{"", ErrorKind::network, "no connection to 192.0.2.5: it was closed without a reason"}}) {
    const Error error = update::ssh_error(*remote, {255, "", row.said});
    CHECK(error.kind == row.kind);
    CHECK(error.message == row.message);
  }
}

TEST_CASE("the parts of a manifest are all bytes of a slot, once, and what they say is so") {
  const auto reporter = make_quiet_reporter();
  const DiskFile file(made_disk(new_base(), kSite));
  const disk::Disk image = file.open();
  const auto proved = update::prove_image(image, *reporter);
  REQUIRE(proved);
  image::BaseRecord base;
  base.profile = "cloud-amd64";
  base.archive_time = 1700000000;
  base.state_format = 7;
  const auto manifest = update::make_manifest(image, *proved, base, 1800000000, *reporter);
  REQUIRE(manifest);
  std::map<std::string, std::uint64_t> ends;
  for (const update::ManifestPart& part : manifest->parts) {
    INFO(part.partition << " at " << part.offset);
    CHECK(part.offset == ends[part.partition]);
    CHECK(part.from.size > 0);
    CHECK(part.from.size % 4096 == 0);
    ends[part.partition] += part.from.size;
    if (part.from.size > disk::kMostAtOnce) continue;
    const auto bytes = image.read(part.from.start, part.from.size);
    REQUIRE(bytes);
    if (part.sha256.empty())
      CHECK(std::ranges::all_of(*bytes, [](char c) { return c == 0; }));
    else
      CHECK(crypto::sha256_hex(*bytes) == part.sha256);
  }
  for (const auto& [name, size] : manifest->sizes) CHECK(ends[name] == size);
  CHECK(ends.size() == 3);
  CHECK(manifest->parts.back().partition == "boot");

  const std::string text = update::to_text(*manifest);
  CHECK(text.starts_with(
      fmt::format("site {}\nprofile cloud-amd64\nroot-hash {}\nserial 1800000000\n"
                  "not-after 1800086400\narchive-time 1700000000\nstate-format 7\nallow-older no\n",
                  kSite, proved->root_hash)));
  CHECK(text.find(" zeros\n") != std::string::npos);
}

TEST_CASE("what is wrong with a machine is told") {
  const std::int64_t now = 1800000000;
  const update::Facts sound = {{"running", "a"},
                               {"slot", "a"},
                               {"proof", "passed in 9 s"},
                               {"failed-units", ""},
                               {"disk-size", "1000"},
                               {"disk-free", "500"},
                               {"left", "0"},
                               {"proof-time", "1799999000"},
                               {"certificate-not-after", "1900000000"}};
  CHECK(update::complaints(sound, now).empty());
  const auto with = [&](const char* name, const char* value) {
    update::Facts facts = sound;
    facts[name] = value;
    const auto lines = update::complaints(facts, now);
    REQUIRE(lines.size() == 1);
    return lines[0];
  };
  CHECK(with("proof", "failed: dovecot.service is not active") ==
        "the proof failed: dovecot.service is not active");
  CHECK(with("proof", "") == "there is no proof since the start");
  CHECK(with("running", "b") == "the slot that runs is not proved");
  CHECK(with("failed-units", "chrony.service") == "failed: chrony.service");
  CHECK(with("disk-free", "99") == "99 B are left of the disk");
  CHECK(with("certificate-not-after", "1800000100") == "the certificate expires in 0 days");
  CHECK(with("left", "3") == "the other slot is on trial, and is started next");
  CHECK(with("lost-trial", "slot b: failed") == "the last update has not proved itself: slot b: failed");
  CHECK(with("proof-time", "1799800000") == "the last proof is older than two days");
  CHECK(with("disk-free", "much") == "the free space of the disk is not known");
  CHECK(with("disk-size", "") == "the free space of the disk is not known");
  CHECK(with("certificate-not-after", "-") == "the certificate cannot be read");
  CHECK(with("certificate-not-after", "1799999999") == "the certificate has expired");
}
