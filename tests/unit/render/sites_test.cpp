// SPDX-License-Identifier: GPL-3.0-or-later
// Every file that is made from a spec, for six sites that differ in all that a spec can say. UPDATE_GOLDEN=1
// writes the expected texts anew.
#include <cstdlib>
#include <set>

#include "base/files.hpp"
#include "delivery/graph.hpp"
#include "render/mail_maps.hpp"
#include "render/render.hpp"
#include "spec/load.hpp"
#include "support/catch.hpp"

using namespace mailstead;
namespace fs = std::filesystem;

namespace {

const fs::path kSource = MAILSTEAD_SOURCE_DIR;
constexpr std::int64_t kClock = 1700000000;

template <class T>
T must(Result<T> result) {
  INFO((result ? "" : format_error(result.error())));
  REQUIRE(result);
  return *std::move(result);
}

std::string shown(const std::string& name, const render::Entries& entries) {
  std::string text = "\n==== etc/postfix/" + name + "\n";
  for (const auto& [key, value] : entries) text += key + "\t" + value + "\n";
  return text;
}

/// The configuration of a site as one text, and the names of its files.
std::string configuration_of(const spec::Site& site, std::set<std::string>& rendered) {
  const auto overlays = must(overlay::load_overlays(kSource, overlay::overlay_names(kSource)));
  rootfs::FileTree tree;
  REQUIRE(render::render_configuration(site, overlays, kClock, tree));
  std::string text;
  for (const auto& [path, inode] : tree) {
    if (inode->type != rootfs::FileType::regular) continue;
    rendered.insert(path);
    text += "\n==== " + path + "\n" + must(inode->content.read());
  }
  const render::MailMaps maps = render::make_mail_maps(delivery::make_graph(site));
  return text + shown("virtual_mailbox_domains", maps.virtual_mailbox_domains) +
         shown("virtual_mailbox_maps", maps.virtual_mailbox_maps) +
         shown("virtual_alias_domains", maps.virtual_alias_domains) +
         shown("virtual_alias_maps", maps.virtual_alias_maps) +
         shown("smtpd_sender_login_maps", maps.smtpd_sender_login_maps) +
         shown("send_only_recipients", maps.send_only_recipients);
}

}  // namespace

TEST_CASE("the configuration of six sites") {
  const fs::path folder = kSource / "tests/golden/render/sites";
  std::set<std::string> rendered;
  for (const char* name : {"dhcp", "on-link", "international", "everything", "nothing", "cards"}) {
    INFO(name);
    const spec::Site site = must(spec::load_site(folder / (std::string(name) + ".yaml")));
    const std::string text = configuration_of(site, rendered);
    const fs::path golden = folder / (std::string(name) + ".txt");
    if (std::getenv("UPDATE_GOLDEN") != nullptr) REQUIRE(write_file(golden, text));
    CHECK(text == must(read_file(golden)));
  }

  for (const auto& entry : fs::recursive_directory_iterator(kSource / "rootfs-overlays")) {
    if (entry.path().extension() != ".tmpl") continue;
    fs::path path;
    const fs::path relative = fs::relative(entry.path(), kSource / "rootfs-overlays");
    for (auto part = std::next(relative.begin()); part != relative.end(); ++part) path /= *part;
    INFO(entry.path());
    CHECK(rendered.contains(path.replace_extension().string()));
  }
}
