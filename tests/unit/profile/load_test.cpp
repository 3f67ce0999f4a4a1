// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>
#include <fstream>

#include "base/files.hpp"
#include "profile/profile.hpp"
#include "support/catch.hpp"

using namespace mailstead;

namespace {

const char* const kProfile = R"(description: a machine
suite: trixie
architecture: amd64
starts_by: [grub-bios, grub-efi]
packages: {system: [udev, libstdc++6], initrd: [udev], tools: [zstd], boot: [shim-signed]}
overlays: [base, mail]
exclude: [usr/share/doc/*]
keep: [usr/share/doc/*/copyright]
initrd: {exclude: [usr/share/*], modules: [dm-verity]}
kernel_arguments: [panic=30]
partitions: {esp: 64 MiB, boot: 128 MiB, usr: 512 MiB, root: 1 MiB}
squashfs: {compressor: zstd, level: 9}
alternatives: {usr/bin/awk: /usr/bin/mawk}
diversions: {usr/bin/sh: {to: usr/bin/sh.distrib, package: dash}}
)";

/// A data folder with profiles/<name> in it.
class Data {
 public:
  Data() : folder_(*TemporaryDirectory::create()) { REQUIRE(make_directories(path() / "profiles")); }
  const std::filesystem::path& path() const { return folder_.path(); }
  void write(const std::string& name, const std::string& text) const {
    REQUIRE(write_file(path() / "profiles" / name, text));
  }

 private:
  TemporaryDirectory folder_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// What is wrong with the profile `text`: the messages only, a line each.
std::string faults(const std::string& text) {
  const Data data;
  data.write("box.yaml", text);
  const auto profile = profile::load_profile(data.path(), "box");
  REQUIRE_FALSE(profile);
  std::string messages = profile.error().message + "\n";
  for (const Error& other : profile.error().others) messages += other.message + "\n";
  return messages;
}

}  // namespace

TEST_CASE("a profile is read as it is written") {
  const Data data;
  data.write("box.yaml", kProfile);
  const auto profile = profile::load_profile(data.path(), "box");
  REQUIRE(profile);
  CHECK(profile->name == "box");
  CHECK(profile->suite == "trixie");
  CHECK(profile->system_packages == std::vector<std::string>{"udev", "libstdc++6"});
  CHECK(profile->tool_packages == std::vector<std::string>{"zstd"});
  CHECK(profile->boot_packages == std::vector<std::string>{"shim-signed"});
  CHECK(profile->overlays == std::vector<std::string>{"base", "mail"});
  CHECK(profile->initrd_modules == std::vector<std::string>{"dm-verity"});
  CHECK(profile->usr_size == 512ull * 1024 * 1024);
  CHECK(profile->root_size == 1024 * 1024);
  CHECK(profile->squashfs_level == 9);
  CHECK(profile->alternatives.at("usr/bin/awk") == "/usr/bin/mawk");
  CHECK(profile->diversions.at("usr/bin/sh").to == "usr/bin/sh.distrib");
  CHECK(profile->diversions.at("usr/bin/sh").package == "dash");
}

TEST_CASE("a profile adds to the lists of the file that it includes") {
  const Data data;
  REQUIRE(make_directories(data.path() / "profiles/common"));
  data.write("common/pc.yaml", kProfile);
  data.write("box.yaml",
             "include: pc\ndescription: a box\npackages: {system: [linux]}\n"
             "exclude: [usr/lib/x/*]\ninitrd: {modules: [nvme]}\n");
  const auto profile = profile::load_profile(data.path(), "box");
  if (!profile) FAIL(format_error(profile.error()));
  CHECK(profile->description == "a box");
  CHECK(profile->suite == "trixie");
  CHECK(profile->system_packages == std::vector<std::string>{"udev", "libstdc++6", "linux"});
  CHECK(profile->initrd_packages == std::vector<std::string>{"udev"});
  CHECK(profile->exclude == std::vector<std::string>{"usr/share/doc/*", "usr/lib/x/*"});
  CHECK(profile->initrd_modules == std::vector<std::string>{"dm-verity", "nvme"});
  CHECK(profile->usr_size == 512ull * 1024 * 1024);
  CHECK(profile->files == std::vector<std::string>{"profiles/box.yaml", "profiles/common/pc.yaml"});
  // What is included is no profile by itself.
  CHECK_FALSE(profile::load_profile(data.path(), "pc"));
}

TEST_CASE("what a profile includes is a file of profiles/common, once or twice removed") {
  const Data data;
  REQUIRE(make_directories(data.path() / "profiles/common"));
  data.write("common/loop.yaml", "include: loop\ndescription: a loop\n");
  for (const char* name : {"loop", "../box", "none", "''", "[a]"}) {
    INFO(name);
    data.write("box.yaml", std::string("include: ") + name + "\ndescription: a box\n");
    CHECK_FALSE(profile::load_profile(data.path(), "box"));
  }
  data.write("common/pc.yaml", kProfile);
  data.write("box.yaml", "include: pc\ndescription: a box\nsuite: sid\npackages: {system: [udev]}\n");
  const auto twice = profile::load_profile(data.path(), "box");
  REQUIRE_FALSE(twice);
  const std::string text = format_error(twice.error());
  INFO(text);
  CHECK(text.find("package 'udev' is listed twice") != std::string::npos);
  CHECK(text.find("suite") != std::string::npos);
}

TEST_CASE("a profile with errors names all of them") {
  CHECK(faults(replaced(kProfile, "512 MiB", "512M")) == "'512M' is not a partition size\n");
  CHECK(faults(replaced(kProfile, "512 MiB", "0 MiB")) == "'0 MiB' is not a partition size\n");
  CHECK(faults(replaced(kProfile, "512 MiB", "12345678901234567890 MiB")) ==
        "'12345678901234567890 MiB' is not a partition size\n");
  CHECK(faults(replaced(kProfile, "[zstd]", "[zstd, --purge]")) == "'--purge' is not a package name\n");
  CHECK(faults(replaced(kProfile, "[zstd]", "[zstd, zstd]")) == "package 'zstd' is listed twice\n");
  CHECK(faults(replaced(kProfile, "usr/bin/awk:", "/usr/bin/awk:")) ==
        "'/usr/bin/awk' must be relative to the root directory\n");
  CHECK(faults(replaced(kProfile, "/usr/bin/mawk", "mawk")) == "'mawk' must be an absolute path\n");

  const std::string several = faults(replaced(replaced(kProfile, "suite: trixie\n", ""), "64 MiB", "big"));
  CHECK(several.find("suite") != std::string::npos);
  CHECK(several.find("'big' is not a partition size") != std::string::npos);
}

TEST_CASE("a profile says for which machine it is") {
  CHECK(faults(replaced(kProfile, "architecture: amd64", "architecture: vax")) ==
        "there is no architecture 'vax'\n");
  CHECK(faults(replaced(kProfile, "[grub-bios, grub-efi]", "[lilo]")) ==
        "nothing is called 'lilo' that starts a machine\n");
  CHECK(faults(replaced(kProfile, "[grub-bios, grub-efi]", "[]")) ==
        "the profile box does not say for which machine it is\n");
  CHECK(faults(replaced(kProfile, "architecture: amd64", "architecture: arm64")) ==
        "the profile box has grub-bios, which starts no machine with arm64\n");
  const Data data;
  data.write("box.yaml", replaced(kProfile, "[panic=30]", "['console=$serial,115200n8']"));
  const auto profile = profile::load_profile(data.path(), "box");
  REQUIRE(profile);
  CHECK(profile->kernel_arguments == std::vector<std::string>{"console=ttyS0,115200n8"});
}

TEST_CASE("a profile that is not there gets a suggestion and cannot reach other files") {
  const Data data;
  data.write("cloud-amd64.yaml", kProfile);
  const auto near = profile::load_profile(data.path(), "cloud-amd46");
  REQUIRE_FALSE(near);
  CHECK(near.error().message == "there is no profile 'cloud-amd46'; did you mean 'cloud-amd64'?");
  CHECK(near.error().hint == "the profiles are: cloud-amd64");
  CHECK(near.error().kind == ErrorKind::usage);
  for (const char* name : {"../profiles/cloud-amd64", "", "cloud-amd64.yaml"}) {
    INFO(name);
    CHECK_FALSE(profile::load_profile(data.path(), name));
  }
}

TEST_CASE("the request for the archive holds packages and ids in a stable order") {
  const Data data;
  data.write("box.yaml", kProfile);
  const auto profile = profile::load_profile(data.path(), "box");
  REQUIRE(profile);
  overlay::Accounts accounts;
  accounts.users = {{"zoe", 1, "zoe", "", "/", "/"}, {"anna", 2, "anna", "", "/", "/"}};
  accounts.groups = {{"zoe", 1, {}}, {"anna", 2, {}}};
  overlay::Overlay mail;
  mail.packages = {"postfix", "udev"};
  overlay::Overlay initrd;
  initrd.packages = {"fdisk"};
  const auto request = profile::make_request(*profile, {mail}, {initrd}, accounts, "arm64");
  CHECK(request.architecture == "amd64");
  CHECK(request.host_architecture == "arm64");
  CHECK(request.system == std::vector<std::string>{"udev", "libstdc++6", "postfix"});
  CHECK(request.initrd == std::vector<std::string>{"udev", "fdisk"});
  REQUIRE(request.users.size() == 2);
  CHECK(request.users[0].name == "anna");
  CHECK(request.users[0].id == 2);
  CHECK(request.groups[1].name == "zoe");
}
