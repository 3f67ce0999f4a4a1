// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/mirrors.hpp"

#include "base/files.hpp"
#include "lock/apt_sources.hpp"
#include "support/catch.hpp"

namespace mailstead::lock {
namespace {

using List = std::vector<std::string>;

/// A machine's /etc/apt.
class Machine {
 public:
  Machine() : folder_(std::move(*TemporaryDirectory::create())) { REQUIRE(make_directories(parts())); }
  void write(const std::string& name, const std::string& text) {
    REQUIRE(write_file(folder_.path() / name, text));
  }
  Result<Mirrors> mirrors() const {
    MirrorChoice choice;
    choice.apt_folder = folder_.path();
    return find_mirrors(choice);
  }
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
        "http://m/[x]", "http://m/a\nb", "http://m/?q", "cdrom:x", "a b c", "http://a http://b http://c"}) {
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
  MirrorChoice choice{"http://o.example/debian", "http://e.example/debian", machine.parts().parent_path()};
  CHECK(find_mirrors(choice)->debian == List{"http://o.example/debian"});
  choice.option.clear();
  CHECK(find_mirrors(choice)->debian == List{"http://e.example/debian"});
  choice.environment = "  ";
  CHECK(find_mirrors(choice)->debian == List{"http://machine.example/debian"});
}

TEST_CASE("the snapshot archive is Debian's, another one or none") {
  CHECK(find_snapshot_archive("", "").value() == kSnapshotArchive);
  CHECK(find_snapshot_archive("http://o.example/", "none").value() == "http://o.example");
  CHECK(find_snapshot_archive(" ", "http://e.example").value() == "http://e.example");
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
                "deb http://broken\n");
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
