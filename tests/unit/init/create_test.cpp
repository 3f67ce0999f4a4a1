// SPDX-License-Identifier: GPL-3.0-or-later
// A site is made whole or not at all, and never over another one.
#include "init/create.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "base/files.hpp"
#include "keys/keys.hpp"
#include "spec/load.hpp"
#include "support/catch.hpp"
#include "support/child.hpp"

namespace fs = std::filesystem;
using namespace mailstead;

namespace {

init::Answers answers() {
  const std::string hash = "$y$j9T$abcdefghijklmnopqrstu.$b3VbA.N.4zA4K0aenb4UAwy.Jg9xh1ecEIkjR/EbnUD";
  return {{"example.org"}, "mail.example.org", {{"alice@example.org", hash}}, {}, {}, {}, ""};
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

unsigned mode_of(const fs::path& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

const std::set<std::string> kParts{".gitignore", "mail.yaml", "secrets"};

/// What is said of a place, before anything is asked and when it is to be used.
std::string refusal(const fs::path& folder) {
  const Status place = init::check_place(folder);
  REQUIRE_FALSE(place);
  CHECK(place.error().kind == ErrorKind::usage);
  const auto made = init::create_site(folder, answers());
  REQUIRE_FALSE(made);
  CHECK(made.error().message == place.error().message);
  return place.error().message + " / " + place.error().hint;
}

}  // namespace

TEST_CASE("A new folder holds a spec that is valid, with its keys, for its owner only") {
  const TemporaryDirectory parent = TemporaryDirectory::create().value();
  const fs::path folder = parent.path() / "site";
  const ::mode_t before = ::umask(0);
  const auto made = init::create_site(folder / "", answers());
  ::umask(before);
  REQUIRE(made);
  CHECK(*made == 6);  // two DKIM keys, TLS key and certificate, both halves of the key of updates
  CHECK(names_in(parent.path()) == std::set<std::string>{"site"});
  CHECK(names_in(folder) == kParts);
  CHECK(mode_of(folder) == 0700);
  CHECK(mode_of(folder / "mail.yaml") == 0600);
  CHECK(mode_of(folder / ".gitignore") == 0644);
  CHECK(mode_of(folder / "secrets") == 0700);
  CHECK(read_file(folder / ".gitignore").value() == "/secrets/\n*.img\n*.img.test/\n");
  const auto site = spec::load_site(folder / "mail.yaml");
  REQUIRE(site);
  CHECK(keys::missing_keys(*site).empty());
}

TEST_CASE("A folder that is there keeps its mode and what else is in it") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  fs::permissions(folder.path(), fs::perms(0750));
  REQUIRE(make_directories(folder.path() / ".git"));
  REQUIRE(write_file(folder.path() / ".gitignore", "mine\n"));
  REQUIRE(init::create_site(folder.path(), answers()));
  CHECK(names_in(folder.path()) == std::set<std::string>{".git", ".gitignore", "mail.yaml", "secrets"});
  CHECK(mode_of(folder.path()) == 0750);
  CHECK(read_file(folder.path() / ".gitignore").value() == "mine\n");
  const auto site = spec::load_site(folder.path() / "mail.yaml");
  REQUIRE(site);
  CHECK(keys::missing_keys(*site).empty());
}

TEST_CASE("The current folder can become a site") {
  const Outcome outcome = in_child([] {
    const TemporaryDirectory folder = TemporaryDirectory::create().value();
    fs::current_path(folder.path());
    const auto made = init::create_site(".", answers());
    return made && names_in(folder.path()) == kParts ? "made" : "not made";
  });
  CHECK(outcome.text == "made");
}

TEST_CASE("Nothing is made over a site, over keys, or where nothing can be") {
  const TemporaryDirectory parent = TemporaryDirectory::create().value();
  const fs::path folder = parent.path() / "site";
  const std::string name = folder.string();
  REQUIRE(write_file(folder, "a file"));
  CHECK(refusal(folder) == name + " is not a folder / name another one");
  fs::remove(folder);
  fs::create_symlink("nowhere", folder);
  CHECK(refusal(folder) == name + " is not a folder / name another one");
  fs::remove(folder);
  CHECK(refusal(folder / "below") ==
        "the folder " + name + " does not exist / make it with `mkdir -p " + name + "`");
  REQUIRE(make_directories(folder));
  fs::create_symlink("nowhere", folder / "mail.yaml");
  CHECK(refusal(folder) == "there is a spec already: " + name +
                               "/mail.yaml / edit it and run `mailstead check " + name +
                               "/mail.yaml`, or name another folder");
  fs::remove(folder / "mail.yaml");
  REQUIRE(make_directories(folder / "secrets"));
  CHECK(refusal(folder) == "there are keys already, of another site: " + name +
                               "/secrets / move them away, or name another folder");
  CHECK(names_in(folder) == std::set<std::string>{"secrets"});
  CHECK(names_in(parent.path()) == std::set<std::string>{"site"});
}

TEST_CASE("A folder of somebody else is refused before anything is asked") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  fs::permissions(folder.path(), fs::perms(0555));
  const Outcome outcome = in_child([&] {
    // A superuser may write everywhere; in a process of its own, because there is no way back.
    if (::geteuid() == 0 && ::seteuid(65534) != 0) return std::string("no other user");
    std::string said;
    for (const fs::path& place : {folder.path(), folder.path() / "site"}) {
      const Status checked = init::check_place(place);
      said += (checked ? "fine" : checked.error().message) + "\n";
    }
    return said;
  });
  const std::string refused = "you may not write to the folder " + folder.path().string() + "\n";
  CHECK(outcome.text == refused + refused);
}
