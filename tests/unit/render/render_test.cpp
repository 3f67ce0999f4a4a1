// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/render.hpp"

#include <cstdlib>

#include "base/files.hpp"
#include "render/site_files.hpp"
#include "support/catch.hpp"

using namespace mailstead;
namespace fs = std::filesystem;

namespace {

const fs::path kSource = MAILSTEAD_SOURCE_DIR;

template <class T>
T must(Result<T> result) {
  INFO((result ? "" : format_error(result.error())));
  REQUIRE(result);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

void write(const fs::path& path, const std::string& text, unsigned mode = 0644) {
  must(make_directories(path.parent_path()));
  must(write_file(path, text, mode));
}

void put(rootfs::FileTree& tree, const std::string& path, const std::string& text = "") {
  rootfs::Inode inode;
  inode.content = rootfs::Content(text);
  must(tree.put(path, std::move(inode)));
}

/// A site with everything that shows in the rendered files; its key files are made below `folder`.
spec::Site example_site(const fs::path& folder) {
  spec::Site site;
  site.folder = folder;
  site.file = folder / "mail.yaml";
  site.hostname = "mail.example.org";
  site.tls.certificate = folder / "certificate.pem";
  site.tls.private_key = folder / "key.pem";
  site.network.dhcp4 = site.network.dhcp6 = true;
  site.ports = {.submissions = true, .submission = true, .managesieve = true};
  site.time_zone = "Etc/UTC";
  site.message_size_limit = 20u << 20;
  site.recipient_delimiter = "+";
  spec::Domain domain;
  domain.name = domain.unicode = "example.org";
  domain.dmarc_policy = spec::DmarcPolicy::quarantine;
  domain.dkim = {{"s1-rsa2048", spec::DkimAlgorithm::rsa2048, "rsa.pem"},
                 {"s1-ed25519", spec::DkimAlgorithm::ed25519, "ed25519.pem"}};
  site.domains = {domain};
  spec::Account alice;
  alice.address = {"alice", "example.org"};
  alice.password_hash = "$y$j9T$hash";
  alice.aliases = {{"o'brien", "example.org"}, {"postmaster", "example.org"}};
  alice.quota_bytes = 5000000;
  alice.sieve = "keep;\n";
  spec::Account bob;
  bob.address = {"bob", "example.org"};
  bob.password_hash = "$y$j9T$other";
  site.accounts = {alice, bob};
  write(site.tls.certificate, "certificate\n");
  write(site.tls.private_key, "key\n");
  // The example of RFC 8410 section 10.3; of the other only the place is of interest.
  for (const char* file : {"rsa.pem", "ed25519.pem"})
    write(folder / file,
          "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
          "-----END PRIVATE KEY-----\n");
  return site;
}

std::string text_of(const rootfs::FileTree& tree, const std::string& path) {
  const rootfs::Inode* inode = tree.find(path);
  INFO(path);
  REQUIRE(inode != nullptr);
  return must(inode->content.read());
}

}  // namespace

TEST_CASE("the mail overlays of the example site") {
  const auto folder = must(TemporaryDirectory::create());
  const spec::Site site = example_site(folder.path());
  const auto overlays = must(overlay::load_overlays(kSource, {"tls", "mail", "spam"}));
  const auto accounts =
      must(overlay::merge_accounts(must(overlay::load_overlays(kSource, {"base", "mail", "spam"}))));
  rootfs::FileTree system;
  put(system, "usr/sbin/postdrop");
  put(system, "usr/sbin/postqueue");
  for (const char* unit : {"postfix", "dovecot", "rspamd", "valkey-server"})
    put(system, std::string("usr/lib/systemd/system/") + unit + ".service",
        "[Install]\nWantedBy=multi-user.target\n");
  must(render::lay_public(overlays, accounts, 1700000000, system));
  CHECK(system.find("usr/sbin/postdrop")->mode == 0755);
  CHECK(system.find("usr/share/mailstead/sieve/junk.sieve") != nullptr);
  CHECK(system.find("etc/postfix/main.cf") == nullptr);

  rootfs::FileTree tree;
  for (const auto& [path, inode] : system)
    if (!path.starts_with("usr")) must(tree.put(path, *inode));
  must(render::render_site(site, overlays, accounts, 1700000000, system, tree));
  CHECK(text_of(tree, "etc/rspamd-signing/dkim/s1-ed25519._domainkey.example.org.key") ==
        "1O5y2/kTWErVttjx92n4rTr+fCjL8dT74Jeoj0R1WEI=\n");
  CHECK(text_of(tree, "etc/mailstead/dkim/s1-ed25519._domainkey.example.org.pem") ==
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
        "-----END PUBLIC KEY-----\n");
  CHECK(tree.find("etc/ssl/mailstead/key.pem")->mode == 0600);
  CHECK(tree.find("etc/dovecot/users")->mode == 0640);

  std::string shown = must(rootfs::dump(tree));
  for (const char* path : {"etc/postfix/main.cf", "etc/postfix/master.cf", "etc/dovecot/dovecot.conf",
                           "etc/dovecot/users", "etc/dovecot/logins", "etc/dovecot/aliases",
                           "etc/rspamd/addresses.conf", "etc/rspamd-signing/dkim_signing.conf"})
    shown += "\n==== " + std::string(path) + "\n" + text_of(tree, path);
  const fs::path golden = kSource / "tests/golden/render/example.txt";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) write(golden, shown);
  CHECK(shown == must(read_file(golden)));

  SECTION("a missing key says how to make it") {
    fs::remove(folder.path() / "rsa.pem");
    const auto result = render::render_site(site, overlays, accounts, 1, system, tree);
    REQUIRE(!result);
    CHECK(result.error().kind == ErrorKind::usage);
    CHECK(result.error().hint == "run `mailstead keys " + site.file.string() + "`");
  }
  SECTION("an Ed25519 key of another form is refused") {
    write(folder.path() / "ed25519.pem", "nonsense\n");
    const auto result = render::render_site(site, overlays, accounts, 1, system, tree);
    REQUIRE(!result);
    CHECK(result.error().kind == ErrorKind::usage);
  }
}

TEST_CASE("who may update is the key, without what stands around it") {
  const auto folder = must(TemporaryDirectory::create());
  spec::Site site = example_site(folder.path());
  site.updates.ssh = true;
  site.updates.public_key = folder.path() / "id.pub";
  const std::string key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKr0C1TCRvDB8J0pqG1GpJAZKt7w4sQbU6t3XmZ3vQ2H";
  const auto rendered = [&](const std::string& line) -> Result<rootfs::FileTree> {
    write(site.updates.public_key, line);
    rootfs::FileTree tree;
    CHECK_OK(render::write_site_files(site, 1700000000, {}, tree));
    return tree;
  };
  const auto tree = must(rendered(key + " updates of mail.example.org\n"));
  CHECK(text_of(tree, "etc/ssh/authorized_keys.d/root.updates") ==
        "restrict,command=\"/usr/lib/mailstead/remote\" " + key + "\n");
  CHECK(text_of(tree, "etc/mailstead/update-signers") ==
        "updates namespaces=\"mailstead-update\" " + key + "\n");
  for (const std::string& line :
       {std::string(), std::string("no key\n"), "pty " + key, "\"" + key, std::string("ssh-ed25519 AAAA\n"),
        std::string("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDU\n"), key.substr(0, 40)}) {
    INFO(line);
    const auto refused = rendered(line);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::usage);
  }
  CHECK(text_of(must(rendered(key + "\n" + key + " x\n")), "etc/mailstead/update-signers") ==
        "updates namespaces=\"mailstead-update\" " + key + "\n");
}

TEST_CASE("the data partition is mounted by the id that it is made with, and each site has its own") {
  const auto folder = must(TemporaryDirectory::create());
  spec::Site site = example_site(folder.path());
  const auto overlays = must(overlay::load_overlays(kSource, {"base"}));
  const auto line_with = [](const std::string& text, const std::string& start) {
    const std::size_t at = text.find("\n" + start) + 1 + start.size();
    REQUIRE(at > start.size());
    return text.substr(at, 36);
  };
  const auto ids = [&] {
    rootfs::FileTree tree;
    must(render::render_configuration(site, overlays, 1, tree));
    return std::pair(line_with(text_of(tree, "etc/fstab"), "PARTUUID="),
                     line_with(text_of(tree, "etc/repart.d/50-data.conf"), "UUID="));
  };
  const auto [mounted, made] = ids();
  CHECK(mounted == made);
  CHECK(mounted.find_first_not_of("0123456789abcdef-") == std::string::npos);
  site.hostname = "mx.example.org";
  CHECK(ids().first != mounted);
}

TEST_CASE("overlays are laid in two steps") {
  const auto folder = must(TemporaryDirectory::create());
  const fs::path data = folder.path();
  const fs::path overlay = data / "rootfs-overlays/x";
  spec::Site site = example_site(data / "site");
  overlay::Accounts accounts;
  accounts.users.push_back({"root", 0, "root", "", "/root", "/bin/bash"});
  accounts.groups = {{"root", 0, {}}, {"mail", 8, {}}};
  rootfs::FileTree system, tree;
  const auto lay = [&]() -> Status {
    TRY(const auto overlays, overlay::load_overlays(data, {"x"}));
    CHECK_OK(render::lay_public(overlays, accounts, 1700000000, system));
    return render::render_site(site, overlays, accounts, 7, system, tree);
  };
  write(overlay / "usr/bin/tool", "#!/bin/sh\n", 0700);
  write(overlay / "etc/static", "s\n", 0600);
  write(overlay / "etc/name.tmpl", "{{ hostname }}\n");

  SECTION("an optional overlay that is off leaves only its usr/") {
    write(overlay / "manifest.yaml",
          "description: x\nwhen: ssh.enabled\nfiles: {etc/name: {mode: \"0640\", group: mail}, etc/dir/: "
          "{mode: \"0700\"}}\n"
          "links: {etc/link: target}\nmask: [a.service]\n");
    must(lay());
    CHECK(system.find("usr/bin/tool")->mode == 0755);
    CHECK(system.find("etc/static") == nullptr);
    for (const char* path : {"etc/static", "etc/name", "etc/dir", "etc/link", "etc/systemd/system/a.service"})
      CHECK(tree.find(path) == nullptr);
    site.ssh.enabled = true;
    must(lay());
    CHECK(tree.find("etc/static")->mode == 0644);
    CHECK(text_of(tree, "etc/name") == "mail.example.org\n");
    CHECK(tree.find("etc/name")->mode == 0640);
    CHECK(tree.find("etc/name")->gid == 8);
    CHECK(tree.find("etc/name")->mtime == 7);
    CHECK(tree.find("etc/dir")->mode == 0700);
    CHECK(tree.find("etc/link")->target == "target");
    CHECK(tree.find("etc/systemd/system/a.service")->target == "/dev/null");
  }
  SECTION("a file or unit with a condition is there for the sites that meet it") {
    write(overlay / "etc/more", "m\n");
    put(system, "usr/lib/systemd/system/a.service", "[Install]\nWantedBy=multi-user.target\n");
    write(overlay / "manifest.yaml",
          "description: x\nfiles: {etc/name: {when: ssh.enabled, mode: \"0640\"}, etc/more: {when: "
          "ssh.enabled}}\n"
          "enable: [{unit: a.service, when: ssh.enabled}]\nmask: [{unit: b.service, when: ssh.enabled}]\n");
    const std::vector<std::string> paths = {"etc/name", "etc/more", "etc/systemd/system/b.service",
                                            "etc/systemd/system/multi-user.target.wants/a.service"};
    must(lay());
    CHECK(system.find("etc/static") != nullptr);
    CHECK(system.find("etc/more") == nullptr);
    for (const std::string& path : paths) CHECK(tree.find(path) == nullptr);
    site.ssh.enabled = true;
    must(lay());
    for (const std::string& path : paths) CHECK(tree.find(path) != nullptr);
    CHECK(tree.find("etc/name")->mode == 0640);
  }
  SECTION("what is wrong in an overlay stops the build") {
    const auto message = [&](const std::string& manifest) {
      write(overlay / "manifest.yaml", manifest);
      const auto result = lay();
      REQUIRE(!result);
      CHECK(result.error().kind == ErrorKind::usage);
      return result.error().message;
    };
    CHECK(message("description: x\nfiles: {usr/bin/tool: {owner: nobody}}\n") == "there is no user 'nobody'");
    CHECK(message("description: x\nfiles: {usr/bin/tool: {group: nobody}}\n") ==
          "there is no group 'nobody'");
    CHECK(message("description: x\nfiles: {usr/bin/none: {mode: \"0755\"}}\n") ==
          "'files' names usr/bin/none, which is not in the image");
    CHECK(message("description: x\nfiles: {etc/none: {mode: \"0640\"}}\n") ==
          "'files' names etc/none, which is not in the image");
    CHECK(message("description: x\nfiles: {usr/bin/tool: {mode: \"0888\"}}\n") == "'0888' is not a mode");
    CHECK(message("description: x\nlinks: {../up: x}\n") ==
          "'../up' is not a path below the root of the image");
    CHECK(message("description: x\nwhen: hostname\n") ==
          "'when: hostname' of the overlay 'x' is not a boolean of the context");
    CHECK(message("description: x\nenable: [none.service]\n") ==
          "cannot enable none.service: there is no such unit");
    CHECK(message("description: x\nfiles: {etc/name: {when: hostname}}\n") ==
          "'when: hostname' of the overlay 'x' is not a boolean of the context");
    CHECK(message("description: x\nfiles: {usr/bin/tool: {when: ssh.enabled}}\n") ==
          "'when' of usr/bin/tool, which is below usr/");
    write(overlay / "usr/lib/conf.tmpl", "x");
    CHECK(message("description: x\n").ends_with("usr/lib/conf.tmpl is a template below usr/"));
  }
}
