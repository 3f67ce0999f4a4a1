// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/generate.hpp"

#include <memory>
#include <string>
#include <utility>

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::tools;

namespace {

struct Fixture {
  TemporaryDirectory folder = TemporaryDirectory::create().value();
  std::unique_ptr<Reporter> reporter = make_quiet_reporter();
  Toolbox toolbox = Toolbox::make(folder.path(), {}, {}, 0, *reporter).value();  // of no packages
  rootfs::FileTree tree;
};

rootfs::Inode text(std::string content) {
  rootfs::Inode file;
  file.content = rootfs::Content(std::move(content));
  return file;
}

}  // namespace

TEST_CASE("Certificates are called as update-ca-certificates calls them") {
  // sed -e 's/.crt$//' -e 's/ /_/g' -e 's/[()]/=/g' -e 's/,/_/g', and ".pem" behind it
  CHECK(certificate_link_name("ISRG_Root_X1.crt") == "ISRG_Root_X1.pem");
  CHECK(certificate_link_name("Foo Root (CA).crt") == "Foo_Root_=CA=.pem");
  CHECK(certificate_link_name("Bar, Inc. 2.crt") == "Bar__Inc._2.pem");
  CHECK(certificate_link_name("F\xc5\x91tan\xc3\xbas.crt") == "F\xc5\x91tan\xc3\xbas.pem");
  CHECK(certificate_link_name("old.crt.crt") == "old.crt.pem");
}

TEST_CASE("A tree that lacks what a generator starts from needs no tool and stays as it is") {
  Fixture f;
  REQUIRE(f.tree.put("usr/share/doc/readme", text("text")));
  const std::string before = rootfs::dump(f.tree).value();
  const auto generated = generate_system_files(f.toolbox, platform::Architecture::amd64, f.folder.path(), 0,
                                               f.tree, *f.reporter);
  INFO((generated ? "" : format_error(generated.error())));
  CHECK(generated);
  CHECK(rootfs::dump(f.tree).value() == before);
}

TEST_CASE("A generator that lacks its tool tells what it was about to make") {
  Fixture f;
  REQUIRE(f.tree.put("etc/ld.so.conf", text("include /etc/ld.so.conf.d/*.conf\n")));
  const auto generated = generate_system_files(f.toolbox, platform::Architecture::amd64, f.folder.path(), 0,
                                               f.tree, *f.reporter);
  REQUIRE_FALSE(generated);
  CHECK(generated.error().message == "no locked tool package has the program 'ldconfig'");
  CHECK(generated.error().notes.back() == "while generating the library cache");
}

TEST_CASE("Two certificates of one name are an error, before any tool runs") {
  Fixture f;
  const rootfs::Inode file = text("certificate");
  REQUIRE(f.tree.put("usr/share/ca-certificates/mozilla/Root (1).crt", file));
  REQUIRE(f.tree.put("usr/share/ca-certificates/local/Root =1=.crt", file));
  const auto added = make_certificate_bundle({f.toolbox, f.folder.path(), 0}, f.tree);
  REQUIRE_FALSE(added);
  CHECK(added.error().kind == ErrorKind::integrity);
  CHECK(added.error().message == "two certificates are called Root_=1=.pem");
}
