// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/deb.hpp"

#include "base/run.hpp"
#include "support/catch.hpp"
#include "support/deb_builder.hpp"

using namespace mailstead;
using namespace mailstead::rootfs;
using test::Compression;
using test::directory;
using test::file;
using test::hard_link;
using test::symbolic_link;

namespace {

struct Fixture {
  TemporaryDirectory folder = TemporaryDirectory::create().value();
  Spool spool = Spool::create(folder.path()).value();

  Result<UnpackedDeb> unpack(const std::string& bytes, const DebLimits& limits = {}) {
    return unpack_deb(test::write_bytes(folder.path(), "hello.deb", bytes), spool, limits);
  }
  Result<UnpackedDeb> unpack(std::vector<test::TarEntry> entries, const DebLimits& limits = {}) {
    test::Deb deb;
    deb.entries = std::move(entries);
    return unpack(test::make_deb(deb), limits);
  }
  std::string refusal(std::vector<test::TarEntry> entries, const DebLimits& limits = {}) {
    const auto result = unpack(std::move(entries), limits);
    if (result) return "accepted";
    CHECK(result.error().kind == ErrorKind::integrity);
    CHECK(result.error().notes.back() == "reading package hello.deb");
    return result.error().message;
  }
};

const Inode* entry(const UnpackedDeb& deb, std::string_view path) {
  for (const auto& candidate : deb.entries) {
    if (candidate.path == path) return candidate.inode.get();
  }
  return nullptr;
}

std::vector<test::TarEntry> ordinary_files() {
  test::TarEntry owned = file("./usr/bin/hello", "#!/bin/sh\necho hello\n", 04755);
  owned.uid = 7;
  owned.gid = 42;
  test::TarEntry capable = file("./usr/bin/ping", "ELF");
  // cap_net_raw+ep, as setcap(8) writes it (VFS_CAP_REVISION_2)
  capable.xattrs = {
      {"security.capability",
       std::string("\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20)}};
  return {directory("./"),
          directory("./usr/"),
          directory("./usr/bin/"),
          owned,
          capable,
          symbolic_link("./usr/bin/hi", "hello"),
          hard_link("./usr/bin/hello-again", "./usr/bin/hello"),
          file("./usr/share/empty", ""),
          file("./usr/share/F\xc5\x91tan\xc3\xbas", "utf-8 name"),
          file("./usr/share/" + std::string(120, 'n'), "long name"),
          file("./usr/share/big", std::string(3'000'000, 'B')),
          directory("./var/tmp", 01777)};
}

}  // namespace

TEST_CASE("A package is read in each compression") {
  Fixture fixture;
  for (const auto compression : {Compression::none, Compression::gz, Compression::xz, Compression::zst}) {
    INFO("compression " << test::suffix(compression));
    test::Deb deb;
    deb.version = "1:2.0-1";
    deb.more_fields = "Multi-Arch: same\nReplaces: old (<< 2)\n";
    deb.control_files = {{"postinst", "#!/bin/sh\nexit 0\n"}, {"conffiles", "/etc/hello\n"}};
    deb.entries = ordinary_files();
    deb.compression = compression;
    const auto result = fixture.unpack(test::make_deb(deb));
    REQUIRE(result);

    CHECK(result->control.name == "hello");
    CHECK(result->control.version == "1:2.0-1");
    CHECK(result->control.architecture == "amd64");
    CHECK(result->control.field("Multi-Arch") == "same");
    CHECK(result->control.field("Description") == "a test package\nof two lines");
    CHECK(result->control.stanza.ends_with("Description: a test package\n of two lines\n"));
    CHECK(result->control.file("postinst") == "#!/bin/sh\nexit 0\n");
    CHECK(result->control.file("conffiles") == "/etc/hello\n");
    CHECK(result->control.files.size() == 2);

    REQUIRE(result->entries.size() == 11);
    const Inode* hello = entry(*result, "usr/bin/hello");
    REQUIRE(hello != nullptr);
    CHECK(hello->mode == 04755);
    CHECK(hello->uid == 7);
    CHECK(hello->gid == 42);
    CHECK(hello->mtime == 1'700'000'000);
    CHECK(hello->origin == "hello");
    CHECK(hello->content.read().value() == "#!/bin/sh\necho hello\n");
    CHECK(entry(*result, "usr/bin/hello-again") == hello);
    CHECK(entry(*result, "usr/bin/hi")->target == "hello");
    CHECK(entry(*result, "usr/bin/ping")->xattrs.at("security.capability").size() == 20);
    CHECK(entry(*result, "usr/share/empty")->content.size() == 0);
    CHECK(entry(*result, "usr/share/F\xc5\x91tan\xc3\xbas")->content.read().value() == "utf-8 name");
    CHECK(entry(*result, "usr/share/" + std::string(120, 'n'))->content.read().value() == "long name");
    CHECK(entry(*result, "usr/share/big")->content.read().value() == std::string(3'000'000, 'B'));
    CHECK(entry(*result, "var/tmp")->type == FileType::directory);
    CHECK(entry(*result, "var/tmp")->mode == 01777);
  }
}

TEST_CASE("dpkg-deb agrees that the packages of these tests are packages") {
  Command command;
  command.argv = {"dpkg-deb", "--version"};
  if (!run(command)) return;  // not on a Debian host
  Fixture fixture;
  test::Deb deb;
  deb.entries = ordinary_files();
  deb.compression = Compression::xz;
  const auto path = test::write_bytes(fixture.folder.path(), "oracle.deb", test::make_deb(deb));
  command.argv = {"dpkg-deb", "-f", path.string(), "Package", "Version"};
  const auto fields = run(command);
  REQUIRE(fields);
  CHECK(fields->out == "Package: hello\nVersion: 1.0-1\n");
}

TEST_CASE("Paths that lead elsewhere are refused") {
  Fixture fixture;
  CHECK(fixture.refusal({file("/etc/passwd", "x")}) == "path '/etc/passwd' is absolute");
  CHECK(fixture.refusal({file("./../etc/passwd", "x")}) == "path './../etc/passwd' has a component '..'");
  CHECK(fixture.refusal({file("usr/../../x", "x")}) == "path 'usr/../../x' has a component '..'");
  CHECK(fixture.refusal({file("./usr/./x", "x")}) == "path './usr/./x' has a component '.'");
  CHECK(fixture.refusal({file("./usr//x", "x")}) == "path './usr//x' has an empty component");
  CHECK(fixture.refusal({file(".//x", "x")}) == "path './/x' has an empty component");
  CHECK(fixture.refusal({file("./a\nb", "x")}) == "path './a\\x0ab' holds control characters");
  CHECK(fixture.refusal({file("./" + std::string(256, 'n'), "x")}).ends_with("has a name that is too long"));
  std::string deep = ".";
  for (int i = 0; i < 2100; ++i) deep += "/d";
  CHECK(fixture.refusal({file(deep, "x")}).ends_with("is too long"));
  CHECK(fixture.refusal({file(".", "x")}) == "the root directory is not a directory");
}

TEST_CASE("Symlink and hard link tricks are refused") {
  Fixture fixture;
  CHECK(fixture.refusal({symbolic_link("./a", "/etc"), file("./a/passwd", "x")}) ==
        "it is below 'a', which the same package ships as a symlink");
  CHECK(fixture.refusal({symbolic_link("./a", "/etc"), directory("./a/b/c"), file("./a/b/c/d", "x")}) ==
        "it is below 'a', which the same package ships as a symlink");
  CHECK(fixture.refusal({symbolic_link("./a", "/etc"), directory("./a/")}) ==
        "its path is listed twice in the package");
  CHECK(fixture.refusal({file("./a", "x"), file("./a", "y")}) == "its path is listed twice in the package");
  CHECK(fixture.refusal({file("./a", "x"), file("./a/b", "y")}) ==
        "it is below 'a', which the same package ships as a file");
  CHECK(fixture.refusal({hard_link("./a", "/etc/shadow")}) == "path '/etc/shadow' is absolute");
  CHECK(fixture.refusal({hard_link("./a", "./etc/shadow")}) ==
        "it is a hard link to 'etc/shadow', which is not a file in this package");
  CHECK(fixture.refusal({directory("./d"), hard_link("./a", "./d")}) ==
        "it is a hard link to 'd', which is not a file in this package");
  CHECK(fixture.refusal({symbolic_link("./s", "x"), hard_link("./a", "./s")}) ==
        "it is a hard link to 's', which is not a file in this package");
  CHECK(fixture.refusal({symbolic_link("./s", "x\x1by")}) ==
        "the symlink's target 'x\\x1by' holds control characters");
  CHECK(fixture.refusal({symbolic_link("./s", "")}) == "the symlink's target '' is empty");
  CHECK(fixture.refusal({symbolic_link("./s", std::string(4096, 't'))}) ==
        "the symlink's target '" + std::string(200, 't') + "' is too long");
  CHECK(fixture.unpack({directory("./d"), directory("./d"), file("./d/f", "x")}));
}

TEST_CASE("A symlink that comes after what is below it is refused too") {
  Fixture fixture;
  CHECK(fixture.refusal({directory("./a"), file("./a/f", "x"), symbolic_link("./a", "/etc")}) ==
        "its path is listed twice in the package");
  // Without a directory entry, the tree refuses it.
  const auto result = fixture.unpack({file("./a/f", "x"), symbolic_link("./a", "/etc")});
  REQUIRE(result);
  FileTree tree;
  REQUIRE(tree.put_shared(result->entries[0].path, result->entries[0].inode));
  CHECK_FALSE(tree.put_shared(result->entries[1].path, result->entries[1].inode));
}

TEST_CASE("Device nodes, pipes, impossible owners and sparse files are refused") {
  Fixture fixture;
  for (const char type : {'3', '4'}) {
    test::TarEntry device = file("./dev/x", "");
    device.type = type;
    CHECK(fixture.refusal({device}) == "it is a device node");
  }
  test::TarEntry pipe = file("./x", "");
  pipe.type = '6';
  CHECK(fixture.refusal({pipe}) == "it is neither a file, a directory nor a symlink");
  test::TarEntry owned = file("./x", "");
  owned.pax = {{"uid", "4294967295"}};
  CHECK(fixture.refusal({owned}) == "its owner 4294967295:0 is out of range");
  test::TarEntry sparse = file("./x", "x");
  sparse.pax = {{"GNU.sparse.size", "4096"}, {"GNU.sparse.map", "100,1"}};
  CHECK(fixture.refusal({sparse}) == "it is a sparse file");
}

TEST_CASE("Bounds hold") {
  Fixture fixture;
  CHECK(fixture.refusal({file("./a", std::string(2000, 'x'))}, {.data_size = 1999}) ==
        "the package has more data than one may have");
  CHECK(fixture.unpack({file("./a", std::string(2000, 'x'))}, {.data_size = 2000}));
  CHECK(fixture.refusal({file("./a", ""), file("./b", "")}, {.entries = 1}) ==
        "the package has too many files");
  test::Deb deb;
  deb.control_files = {{"symbols", std::string(2000, 's')}};
  const auto result = fixture.unpack(test::make_deb(deb), {.control_size = 1000});
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "control.tar: too large at 'symbols'");
}

TEST_CASE("A package cut anywhere is refused") {
  Fixture fixture;
  for (const auto compression : {Compression::none, Compression::gz, Compression::xz, Compression::zst}) {
    INFO("compression " << test::suffix(compression));
    test::Deb deb;
    deb.compression = compression;
    deb.entries = {directory("./d"), file("./d/a", std::string(5000, 'a')), file("./d/b", "bbb")};
    const std::string whole = test::make_deb(deb);
    REQUIRE(fixture.unpack(whole));
    // An odd member is padded by one byte, which libarchive does not miss at the end of the file.
    for (std::size_t size = 0; size + 1 < whole.size(); size += 1 + whole.size() / 97) {
      INFO("size " << size);
      CHECK_FALSE(fixture.unpack(whole.substr(0, size)));
    }
  }
}

TEST_CASE("What is not a package is refused") {
  Fixture fixture;
  const test::Deb deb;
  const std::string control =
      test::make_tar({file("./control", "Package: a\nVersion: 1\nArchitecture: all\n")});
  const std::string data = test::make_tar({});
  const auto archive = [](std::initializer_list<std::pair<std::string, std::string>> members) {
    std::string text = "!<arch>\n";
    for (const auto& [name, bytes] : members) text += test::ar_member(name, bytes);
    return text;
  };
  const auto message = [&](const std::string& bytes) {
    const auto result = fixture.unpack(bytes);
    return result ? std::string("accepted") : result.error().message;
  };
  CHECK(message(archive({{"debian-binary", "2.0\n"}, {"control.tar", control}, {"data.tar", data}})) ==
        "accepted");
  CHECK(message(archive({{"debian-binary", "2.1\n"},
                         {"_sig", "x"},
                         {"control.tar", control},
                         {"_x", "y"},
                         {"data.tar", data},
                         {"more", "z"}})) == "accepted");
  CHECK(message(archive({{"debian-binary", "3.0\n"}, {"control.tar", control}, {"data.tar", data}})) ==
        "not a package of format 2.x");
  CHECK(message(archive({{"control.tar", control}, {"data.tar", data}})) ==
        "it does not start with debian-binary");
  CHECK(message(archive({{"debian-binary", "2.0\n"}, {"data.tar", data}, {"control.tar", control}})) ==
        "unexpected member 'data.tar'");
  CHECK(message(archive({{"debian-binary", "2.0\n"}, {"control.tar", control}})) ==
        "control.tar or data.tar is missing");
  CHECK(message(archive({{"debian-binary", "2.0\n"}, {"control.tar.lzma", control}, {"data.tar", data}})) ==
        "unknown compression '.lzma'");
  CHECK(message(archive({{"debian-binary", "2.0\n"}, {"control.tar.xz", control}, {"data.tar", data}})) !=
        "accepted");
  CHECK(message(
            archive({{"debian-binary", "2.0\n"}, {"control.tar", test::make_tar({})}, {"data.tar", data}})) ==
        "control.tar: no file 'control'");
  CHECK(message(archive({{"debian-binary", "2.0\n"},
                         {"control.tar", test::make_tar({symbolic_link("./control", "/etc/passwd")})},
                         {"data.tar", data}})) == "control.tar: 'control' is not a plain file");
  CHECK(message("") != "accepted");
  CHECK(message("PK\x03\x04") != "accepted");
  CHECK(unpack_deb("/nonexistent.deb", fixture.spool).error().kind == ErrorKind::io);
  CHECK(unpack_deb("/tmp", fixture.spool).error().kind == ErrorKind::io);
}

TEST_CASE("A wrong checksum inside is noticed") {
  Fixture fixture;
  test::Deb deb;
  deb.compression = Compression::xz;
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 20000; ++i) noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  deb.entries = {file("./a", noise)};
  std::string bytes = test::make_deb(deb);
  bytes[bytes.size() - 8000] ^= 1;
  CHECK_FALSE(fixture.unpack(bytes));
}

TEST_CASE("Control files are read strictly") {
  CHECK(parse_control("Package: a\nVersion: 1\nArchitecture: all\n\n"));
  const auto message = [](std::string_view text) { return parse_control(text).error().message; };
  CHECK(message("Package: a\nPackage: b\n") == "control file, line 2: field Package for the second time");
  CHECK(message(" x\n") == "control file, line 1: a continuation line without a field");
  CHECK(message("Package: a\nnonsense\n") == "control file, line 2: neither a field nor a continuation");
  CHECK(message("Package: a\nVersion: 1\nArchitecture: all\n\nPackage: b\n") ==
        "control file, line 5: a second stanza");
  CHECK(message("Package: a\nVersion: 1\n") == "control file: no valid Architecture field");
  CHECK(message("Package: ../a\nVersion: 1\nArchitecture: all\n") == "control file: no valid Package field");
}

TEST_CASE("Relations name packages in versions") {
  CHECK(relation_names("a, b", "b", "1"));
  CHECK_FALSE(relation_names("a, bb", "b", "1"));
  CHECK(relation_names("a (<< 2), b", "a", "1.9"));
  CHECK_FALSE(relation_names("a (<< 2~)", "a", "2"));
  CHECK(relation_names("a:any (<= 1:0)", "a", "1:0"));
  CHECK(relation_names("a (<< 1), a (>= 5)", "a", "5"));
  CHECK_FALSE(relation_names("a (nonsense", "a", "1"));
  CHECK_FALSE(relation_names("", "a", "1"));
}
