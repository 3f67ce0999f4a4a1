// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/mirrors.hpp"

#include <cctype>
#include <set>

#include "archive_fixture.hpp"
#include "base/files.hpp"
#include "lock/openpgp.hpp"
#include "lock/signed_by.hpp"
#include "support/catch.hpp"

namespace mailstead::lock {
namespace {

using List = std::vector<Address>;

/// A machine's /etc/apt.
class Machine {
 public:
  Machine() : folder_(std::move(*TemporaryDirectory::create())) {
    REQUIRE(make_directories(parts()));
    REQUIRE(make_directories(folder_.path() / "apt.conf.d"));
    REQUIRE(make_directories(folder_.path() / "auth.conf.d"));
    write("config",
          fmt::format("Dir::Etc \"{}/\";\nAPT::Architecture \"amd64\";\n", folder_.path().string()));
  }
  void write(const std::string& name, const std::string& text) {
    REQUIRE(write_file(folder_.path() / name, text));
  }
  Result<Mirrors> mirrors() const { return mirrors_signed_by(kArchiveKeyring); }
  Result<Mirrors> mirrors_signed_by(const std::filesystem::path& keyring) const {
    MirrorChoice choice;
    choice.apt = apt();
    return find_mirrors(choice, keyring);
  }
  MachineApt apt() const { return MachineApt(folder_.path() / "config"); }
  std::filesystem::path parts() const { return folder_.path() / "sources.list.d"; }

 private:
  TemporaryDirectory folder_;
};

TEST_CASE("one address gives the security mirror too; two are taken as they are") {
  auto mirrors = parse_mirrors("http://m.example/debian/", "--mirror");
  REQUIRE(mirrors);
  CHECK(mirrors->debian == List{"http://m.example/debian"});
  CHECK(mirrors->security == List{"http://m.example/debian-security"});
  mirrors = parse_mirrors("  https://m.example/d   file:/srv/security ", "--mirror");
  REQUIRE(mirrors);
  CHECK(mirrors->debian == List{"https://m.example/d"});
  CHECK(mirrors->security == List{"file:///srv/security"});
  CHECK(mirrors->of("debian") == mirrors->debian);
  CHECK(mirrors->of("debian-security") == mirrors->security);
}

TEST_CASE("what cannot be a mirror is refused by name") {
  for (const std::string text :
       {"m.example/debian", "ftp://m.example/debian", "http://", "file://host/x", "http://m/\"x",
        "http://m/[x]", "http://m/a\nb", "http://m/?q", "cdrom:x", "a b c", "http://a http://b http://c",
        "http://m:http/x", "http://[::1/x", "http://[x]/x", "http://m]/x", "http://m/a@b", "http://:80/x"}) {
    INFO(text);
    const auto mirrors = parse_mirrors(text, "--mirror");
    REQUIRE(!mirrors);
    CHECK(mirrors.error().kind == ErrorKind::usage);
    CHECK(mirrors.error().message.find("--mirror") != std::string::npos);
    CHECK(!mirrors.error().hint.empty());
  }
}

TEST_CASE("the option wins over the environment, that over the machine") {
  Machine machine;
  machine.write("sources.list", "deb http://machine.example/debian bookworm main\n");
  MirrorChoice choice{"http://o.example/debian", "http://e.example/debian", machine.apt()};
  CHECK(find_mirrors(choice)->debian == List{"http://o.example/debian"});
  choice.option.clear();
  CHECK(find_mirrors(choice)->debian == List{"http://e.example/debian"});
  choice.environment = "  ";
  CHECK(find_mirrors(choice)->debian == List{"http://machine.example/debian"});
}

TEST_CASE("the snapshot archive is Debian's, another one or none") {
  CHECK(find_snapshot_archive("", "").value() == Address(std::string(kSnapshotArchive)));
  CHECK(find_snapshot_archive("http://o.example/", "none").value() == Address("http://o.example"));
  CHECK(find_snapshot_archive(" ", "http://e.example").value() == Address("http://e.example"));
  CHECK(find_snapshot_archive("none", "http://e.example").value().empty());
  CHECK(find_snapshot_archive("", " none ").value().empty());
  const auto wrong = find_snapshot_archive("", "e.example");
  REQUIRE(!wrong);
  CHECK(wrong.error().kind == ErrorKind::usage);
  CHECK(wrong.error().message ==
        "MAILSTEAD_SNAPSHOT names the snapshot archive 'e.example', which is not an address that begins with "
        "http://, https:// or file:///");
  CHECK(wrong.error().hint == "give an address like https://snapshot.example, or none to do without");
}

TEST_CASE("the one-line format") {
  Machine machine;
  machine.write("sources.list",
                "# a comment\n"
                "deb-src http://source.example/debian bookworm main\n"
                "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
                "http://a.example/debian bookworm main contrib # x\n"
                "deb http://a.example/debian bookworm-updates main\n"
                "deb\thttp://s.example/debian-security\tbookworm-security\tmain\n"
                "deb [arch=armhf] http://other.example/debian bookworm main\n");
  const auto mirrors = machine.mirrors();
  REQUIRE(mirrors);
  CHECK(mirrors->debian == List{"http://a.example/debian"});
  CHECK(mirrors->security == List{"http://s.example/debian-security"});
}

TEST_CASE("the deb822 format, among third parties") {
  Machine machine;
  machine.write(
      "sources.list.d/debian.sources",
      "Types: deb\n# a comment inside\nURIs: http://a.example/debian\nSuites: trixie trixie-updates\n"
      "Components: main\n contrib\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
      "Types: deb deb-src\nURIs: http://b.example/debian-security\nSuites: trixie-security\nComponents: "
      "main\n\n"
      "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: trixie\nComponents: main\n");
  machine.write("sources.list.d/node.sources",
                "Types: deb\nURIs: https://node.example/node_20.x\nSuites: nodistro\nComponents: main\n");
  machine.write("sources.list.d/vendor.sources",
                "Types: deb\nURIs: https://vendor.example/debian\nSuites: bookworm\nComponents: "
                "main\nSigned-By: /usr/share/keyrings/vendor.gpg\n");
  machine.write("sources.list.d/cloud.list", "deb https://cloud.example/apt cloud-sdk-bookworm main\n");
  machine.write("sources.list.d/docker.list", "deb https://docker.example/debian bookworm stable\n");
  machine.write("sources.list.d/ignored.bak", "deb http://bak.example/debian bookworm main\n");
  const auto mirrors = machine.mirrors();
  REQUIRE(mirrors);
  CHECK(mirrors->debian == List{"http://a.example/debian"});
  CHECK(mirrors->security == List{"http://b.example/debian-security"});
}

TEST_CASE("mirror lists in files, as Debian's cloud images have them") {
  Machine machine;
  const auto list = machine.parts().parent_path() / "mirror-list";
  machine.write("mirror-list", "http://one.example/debian\tpriority:1\n# no\nhttp://two.example/debian\n");
  machine.write("sources.list.d/debian.sources", "Types: deb\nURIs: mirror+file://" + list.string() +
                                                     "\nSuites: bookworm\nComponents: main\n");
  const auto mirrors = machine.mirrors();
  REQUIRE(mirrors);
  CHECK(mirrors->debian == List{"http://one.example/debian", "http://two.example/debian"});
  CHECK(mirrors->security ==
        List{"http://one.example/debian-security", "http://two.example/debian-security"});
}

TEST_CASE("an archive called debian comes before one of unknown nature") {
  Machine machine;
  machine.write(
      "sources.list",
      "deb http://third.example/packages bookworm main\ndeb http://a.example/debian bookworm main\n");
  const auto mirrors = machine.mirrors();
  REQUIRE(mirrors);
  CHECK(mirrors->debian == List{"http://a.example/debian", "http://third.example/packages"});
}

TEST_CASE("what apt reads is read: literals of IPv6, several addresses, options, comments, what is off") {
  Machine machine;
  machine.write("sources.list",
                "deb [ arch=amd64,armhf trusted=no ] http://[2001:db8::1]:8080/debian bookworm main # more\n"
                "deb copy:/srv/debian bookworm main\n"
                "deb [arch=armhf] http://ports.example/debian bookworm main\n");
  machine.write(
      "sources.list.d/a.sources",
      "# first\n"
      "Types: deb-src\n deb\nURIs: http://a.example/debian\n  http://us%40er:pa%2fss@b.example/debian/\n"
      "Suites: trixie\n# between\n trixie-updates\nComponents: main\n\n"
      "Types: deb\nURIs: http://s.example/debian-security\nSuites: trixie-security\nComponents: main\n");
  int number = 0;
  for (const std::string off : {"no", "off", "false", "0", "NO", "without", "disable"})
    machine.write(fmt::format("sources.list.d/off{}.sources", ++number),
                  fmt::format("Enabled: {0}\nTypes: deb\nURIs: http://off-{0}.example/debian\nSuites: "
                              "trixie\nComponents: main\n",
                              off));
  const auto mirrors = machine.mirrors();
  if (!mirrors) FAIL(format_error(mirrors.error()));
  CHECK(mirrors->debian == List{"http://[2001:db8::1]:8080/debian", "file:///srv/debian",
                                "http://a.example/debian", "http://us%40er:pa%2fss@b.example/debian"});
  CHECK(mirrors->security == List{"http://s.example/debian-security"});
}

TEST_CASE("a source is Debian's by the key that it names, however it names it") {
  Machine machine;
  const auto& ours = test::archive_key();
  std::string signed_by;
  SECTION("another keyring file") {
    signed_by = " " + ours.keyring().string();
  }
  SECTION("among several files") {
    signed_by = " /none.gpg, " + ours.keyring().string();
  }
  SECTION("a fingerprint") {
    signed_by = " " + ours.fingerprints().front();
  }
  SECTION("a fingerprint in small letters, of this very key") {
    signed_by = " " + ours.fingerprints().back() + "!";
    for (char& c : signed_by) c = static_cast<char>(std::tolower(c));
  }
  SECTION("the key itself") {
    std::string key = ours.armoured();
    for (std::size_t at = key.find("\n\n"); at != std::string::npos; at = key.find("\n\n"))
      key.replace(at, 2, "\n.\n");
    for (std::size_t at = 0; (at = key.find('\n', at)) != std::string::npos && at + 1 < key.size(); at += 2)
      key.insert(at + 1, " ");
    signed_by = "\n " + key;
  }
  machine.write("sources.list.d/debian.sources",
                "Types: deb\nURIs: http://a.example/debian\nSuites: trixie\nComponents: main\nSigned-By:" +
                    signed_by + "\n");
  const auto mirrors = machine.mirrors_signed_by(ours.keyring());
  if (!mirrors) FAIL(format_error(mirrors.error()));
  CHECK(mirrors->debian == List{"http://a.example/debian"});
  const auto stranger = machine.mirrors_signed_by(test::stranger_key().keyring());
  REQUIRE(!stranger);
  CHECK(stranger.error().notes.size() == 1);
}

TEST_CASE("the keys of a keyring, as gpg tells them, and of Debian's") {
  for (const auto* key : {&test::archive_key(), &test::stranger_key()}) {
    const auto expected = key->fingerprints();
    REQUIRE(!expected.empty());
    const std::set<std::string> all(expected.begin(), expected.end());
    CHECK(keys_named_by(key->keyring().string()) == all);
    CHECK(keys_named_by(key->armoured()) == all);
    CHECK(keys_named_by(key->armoured() + "\n" + key->armoured()) == all);
  }
  CHECK(keys_named_by(kArchiveKeyring).size() > 10);
  CHECK(keys_named_by("/none.gpg").empty());
}

TEST_CASE("hostile keyrings have no keys and end") {
  for (const std::string& text :
       {std::string(), std::string("\x99"), std::string("\x99\xff\xff\4"),
        std::string("\xc6\xff\xff\xff\xff\xff"), std::string("\xc6\xe0"), std::string("\x9b\4"),
        std::string(100, '\xc6'), std::string(100, '\0'), std::string("-----BEGIN PGP PUBLIC KEY BLOCK-----"),
        std::string("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n%%%\n-----END")})
    CHECK(key_fingerprints(text).empty());
}

TEST_CASE("sources that apt cannot read are told with its words, without passwords") {
  Machine machine;
  machine.write("sources.list", "deb http://user:secret@broken.example/debian\n");
  const auto mirrors = machine.mirrors();
  REQUIRE(!mirrors);
  INFO(format_error(mirrors.error()));
  CHECK(mirrors.error().kind == ErrorKind::usage);
  CHECK(mirrors.error().message == "APT cannot read its sources on this machine");
  CHECK(format_error(mirrors.error()).find("sources.list") != std::string::npos);
  CHECK(format_error(mirrors.error()).find("secret") == std::string::npos);
}

TEST_CASE("a refused address is told without what may be a password") {
  for (const std::string text :
       {"user:secret@m.example/debian", "ftp://user:secret@m.example/debian",
        "http://user:sec/secret@m.example/debian", "http://user:secret", "http://user:secret[@m.example/",
        "http://user:se secret@m.example/debian x"}) {
    INFO(text);
    const auto mirrors = parse_mirrors(text, "--mirror");
    REQUIRE(!mirrors);
    CHECK(format_error(mirrors.error()).find("secret") == std::string::npos);
    const auto snapshot = find_snapshot_archive(text, "");
    REQUIRE(!snapshot);
    CHECK(format_error(snapshot.error()).find("secret") == std::string::npos);
  }
}

TEST_CASE("proxies, logins and certificates are those of apt") {
  Machine machine;
  machine.write("apt.conf.d/10proxy",
                "Acquire::http::Proxy \"http://us%40er:p=w@proxy.example:3128/\";\n"
                "Acquire::http::Proxy::direct.example \"DIRECT\";\n"
                "Acquire::http::Proxy::own.example \"http://own-proxy.example\";\n"
                "Acquire::https { CaInfo \"/etc/our ca.pem\"; other.example { Verify-Peer \"no\"; }; };\n"
                "Acquire::https::SslCert::cert.example \"/etc/cert.pem\";\n"
                "Acquire::ForceIPv4 \"true\"; Acquire::http::Timeout \"7\";\n"
                "APT::Update::Pre-Invoke { \"touch /tmp/never\"; }; APT::Default-Release \"sid\";\n"
                "Acquire::AllowInsecureRepositories \"true\"; Acquire::Check-Valid-Until \"false\";\n");
  machine.write("auth.conf",
                "# ours\nmachine login.example login alice password s3cret\n"
                "machine http://plain.example:8080/debian/ login bob password \"x\n"
                "machine http://proxy.example login carol\n  password three\n");
  machine.write("auth.conf.d/more.conf", "machine more.example/deb login dora password four\n");
  machine.write("auth.conf.d/more.bak", "machine bak.example login no password no\n");
  const auto transport = machine.apt().transport();
  if (!transport) FAIL(format_error(transport.error()));
  CHECK(transport->proxy("http://m.example/debian").value() ==
        Address("http://us%40er:p=w@proxy.example:3128/"));
  CHECK(transport->proxy("https://m.example/debian").value() ==
        Address("http://us%40er:p=w@proxy.example:3128/"));
  CHECK(transport->proxy("http://direct.example/debian").value().empty());
  CHECK(transport->proxy("http://user:x@OWN.example:80/debian").value() ==
        Address("http://own-proxy.example"));
  const auto user_of = [&](const Address& address) {
    const auto login = transport->login(address);
    return login ? login->user : "";
  };
  CHECK(user_of("https://login.example/debian") == "alice");
  CHECK(user_of("https://login.example:8443/debian") == "alice");
  CHECK(user_of("http://login.example/debian").empty());
  CHECK(user_of("http://plain.example:8080/debian/pool/x") == "bob");
  CHECK(user_of("http://plain.example:8080/other").empty());
  CHECK(user_of("http://plain.example/debian/").empty());
  CHECK(user_of("http://proxy.example:3128/") == "carol");
  CHECK(user_of("https://more.example/debian") == "dora");
  CHECK(user_of("https://bak.example/").empty());
  CHECK(transport->tls("https://m.example/").ca_file == "/etc/our ca.pem");
  CHECK(transport->tls("https://m.example/").verify_peer);
  CHECK(!transport->tls("https://other.example/").verify_peer);
  CHECK(transport->tls("https://cert.example/").certificate == "/etc/cert.pem");
  CHECK(transport->forces("ForceIPv4"));
  CHECK(!transport->forces("ForceIPv6"));
  const std::string taken = transport->apt_configuration();
  CHECK(taken.find("acquire::http::proxy \"http://us%40er:p=w@proxy.example:3128/\";\n") !=
        std::string::npos);
  for (const std::string other :
       {"invoke", "default-release", "insecure", "valid-until", "languages", "dir::"})
    CHECK(taken.find(other) == std::string::npos);
}

TEST_CASE("a program that finds the proxy is asked as apt asks it") {
  Machine machine;
  const auto program = machine.parts() / "find-proxy";
  machine.write("sources.list.d/find-proxy",
                "#!/bin/sh\ncase $1 in *direct*) echo DIRECT ;; *nothing*) ;; *) echo http://found.example:1 "
                ";; esac\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  machine.write("apt.conf.d/10proxy", "Acquire::http::Proxy-Auto-Detect \"" + program.string() +
                                          "\";\n"
                                          "Acquire::http::Proxy \"http://other.example\";\n");
  const auto transport = machine.apt().transport();
  REQUIRE(transport);
  CHECK(transport->proxy("http://m.example/debian").value() == Address("http://found.example:1"));
  CHECK(transport->proxy("http://direct.example/debian").value().empty());
  CHECK(transport->proxy("http://nothing.example/debian").value() == Address("http://other.example"));
}

TEST_CASE("a machine without Debian sources asks for a mirror") {
  Machine machine;
  machine.write("sources.list",
                "deb http://ubuntu.example/ubuntu noble main\ndeb cdrom:[x]/ bookworm main\n");
  const auto mirrors = machine.mirrors();
  REQUIRE(!mirrors);
  CHECK(mirrors.error().kind == ErrorKind::usage);
  CHECK(mirrors.error().hint.find("MAILSTEAD_MIRROR") != std::string::npos);
}

}  // namespace
}  // namespace mailstead::lock
