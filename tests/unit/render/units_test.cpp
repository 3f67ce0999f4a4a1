// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/units.hpp"

#include "support/catch.hpp"

using namespace mailstead;

namespace {

void put(rootfs::FileTree& tree, const std::string& path, const std::string& text) {
  rootfs::Inode inode;
  inode.content = rootfs::Content(text);
  REQUIRE(tree.put(path, std::move(inode)));
}

std::string links(const rootfs::FileTree& tree) {
  std::string out;
  for (const auto& [path, inode] : tree)
    if (inode->type == rootfs::FileType::symlink) out += path + " -> " + inode->target + "\n";
  return out;
}

std::string enabled(const rootfs::FileTree& units, const std::string& unit) {
  rootfs::FileTree tree;
  const auto done = render::enable_unit(unit, units, 1, "test", tree);
  return done ? links(tree) : done.error().message;
}

}  // namespace

TEST_CASE("a unit is linked as its [Install] section says") {
  rootfs::FileTree units;
  const std::string dir = "usr/lib/systemd/system/";
  put(units, dir + "a.service",
      "[Unit]\nWantedBy=no.target\n[Install]\n# WantedBy=no.target\nWantedBy=one.target \\\n two.target\n"
      "RequiredBy=req.target\nAlias=alias.service\nAlso=b.socket\n");
  put(units, dir + "b.socket", "[Install]\nWantedBy=sockets.target\nAlso=a.service\n");
  put(units, dir + "static.service", "[Service]\nExecStart=/bin/true\n");
  put(units, dir + "t@.service", "[Install]\nWantedBy=multi-user.target x-%i.target\nDefaultInstance=dflt\n");
  put(units, dir + "u@.service", "[Install]\nWantedBy=multi-user.target\n");
  put(units, dir + "bad.service", "[Install]\nWantedBy=%q.target\n");
  put(units, dir + "d.service", "[Install]\nWantedBy=old.target\n");
  put(units, dir + "d.service.d/10.conf", "[Install]\nWantedBy=\nWantedBy=new.target\n");

  CHECK(enabled(units, "a.service") ==
        "etc/systemd/system/alias.service -> /usr/lib/systemd/system/a.service\n"
        "etc/systemd/system/one.target.wants/a.service -> /usr/lib/systemd/system/a.service\n"
        "etc/systemd/system/req.target.requires/a.service -> /usr/lib/systemd/system/a.service\n"
        "etc/systemd/system/sockets.target.wants/b.socket -> /usr/lib/systemd/system/b.socket\n"
        "etc/systemd/system/two.target.wants/a.service -> /usr/lib/systemd/system/a.service\n");
  CHECK(enabled(units, "t@ttyS0.service") ==
        "etc/systemd/system/multi-user.target.wants/t@ttyS0.service -> /usr/lib/systemd/system/t@.service\n"
        "etc/systemd/system/x-ttyS0.target.wants/t@ttyS0.service -> /usr/lib/systemd/system/t@.service\n");
  CHECK(enabled(units, "t@.service").find("wants/t@dflt.service") != std::string::npos);
  CHECK(enabled(units, "d.service") ==
        "etc/systemd/system/new.target.wants/d.service -> /usr/lib/systemd/system/d.service\n");
  CHECK(enabled(units, "u@.service") == "cannot enable u@.service: it is a template without an instance");
  CHECK(enabled(units, "static.service") == "cannot enable static.service: it has no [Install] section");
  CHECK(enabled(units, "none.service") == "cannot enable none.service: there is no such unit");
  CHECK(enabled(units, "bad.service") == "cannot enable bad.service: unknown specifier in '%q.target'");
}

TEST_CASE("a masked unit is linked to /dev/null") {
  rootfs::FileTree tree;
  REQUIRE(render::mask_unit("a.timer", 1, "test", tree));
  CHECK(links(tree) == "etc/systemd/system/a.timer -> /dev/null\n");
}
