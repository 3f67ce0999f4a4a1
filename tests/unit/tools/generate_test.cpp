// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/generate.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::tools;

TEST_CASE("Certificates are called as update-ca-certificates calls them") {
  // sed -e 's/.crt$//' -e 's/ /_/g' -e 's/[()]/=/g' -e 's/,/_/g', and ".pem" behind it
  CHECK(certificate_link_name("ISRG_Root_X1.crt") == "ISRG_Root_X1.pem");
  CHECK(certificate_link_name("Foo Root (CA).crt") == "Foo_Root_=CA=.pem");
  CHECK(certificate_link_name("Bar, Inc. 2.crt") == "Bar__Inc._2.pem");
  CHECK(certificate_link_name("F\xc5\x91tan\xc3\xbas.crt") == "F\xc5\x91tan\xc3\xbas.pem");
  CHECK(certificate_link_name("old.crt.crt") == "old.crt.pem");
}

TEST_CASE("A tree that lacks what a generator starts from needs no tool and stays as it is") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const auto reporter = make_quiet_reporter();
  const auto toolbox = Toolbox::open(folder.path(), {}, 0, *reporter);
  REQUIRE(toolbox);
  rootfs::FileTree tree;
  rootfs::Inode file;
  file.content = rootfs::Content("text");
  REQUIRE(tree.put("usr/share/doc/readme", file));
  const std::string before = rootfs::dump(tree).value();
  const auto generated = generate_system_files(*toolbox, folder.path(), 0, tree, *reporter);
  INFO((generated ? "" : format_error(generated.error())));
  CHECK(generated);
  CHECK(rootfs::dump(tree).value() == before);
}

TEST_CASE("A generator that lacks its tool tells what it was about to make") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const auto reporter = make_quiet_reporter();
  const auto toolbox = Toolbox::open(folder.path(), {}, 0, *reporter);
  REQUIRE(toolbox);
  rootfs::FileTree tree;
  rootfs::Inode file;
  file.content = rootfs::Content("include /etc/ld.so.conf.d/*.conf\n");
  REQUIRE(tree.put("etc/ld.so.conf", file));
  const auto generated = generate_system_files(*toolbox, folder.path(), 0, tree, *reporter);
  REQUIRE_FALSE(generated);
  CHECK(generated.error().message == "no locked tool package has the program 'ldconfig'");
  CHECK(generated.error().notes.back() == "while generating the library cache");
}

TEST_CASE("Two certificates of one name are an error, before any tool runs") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const auto reporter = make_quiet_reporter();
  const auto toolbox = Toolbox::open(folder.path(), {}, 0, *reporter);
  REQUIRE(toolbox);
  rootfs::FileTree tree;
  rootfs::Inode file;
  file.content = rootfs::Content("certificate");
  REQUIRE(tree.put("usr/share/ca-certificates/mozilla/Root (1).crt", file));
  REQUIRE(tree.put("usr/share/ca-certificates/local/Root =1=.crt", file));
  const auto added = add_certificate_bundle({*toolbox, folder.path(), 0}, tree);
  REQUIRE_FALSE(added);
  CHECK(added.error().kind == ErrorKind::integrity);
  CHECK(added.error().message == "two certificates are called Root_=1=.pem");
}
