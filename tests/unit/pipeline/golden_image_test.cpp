// SPDX-License-Identifier: GPL-3.0-or-later
// The whole of Mailstead on packages that are made here from literals, and the digest of the image in git:
// whoever changes a byte notices, decides that it is meant, and tells users in CHANGELOG.md, which has to
// name the digest. A base with other bytes has to have another identity, too: that is how images say which
// base they have.
//
// The tools are stand-ins, which write down what they are asked (tests/support/stand_in_tool.cpp). So the
// digest is of all that Mailstead decides: what is in the trees and archives, in which order and with which
// owners and times, the command lines, salts and ids, the partition table's script, boot code and
// configuration. It is not of what mksquashfs and the others make of it: those come from Debian's archive and
// change with it, which is a lock's decision, and that they give the same bytes everywhere tests/repro shows.
// Nor is it of the shipped profiles and overlays, which change as their text in git does (tests/golden/render
// has what becomes of it).
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <sstream>
#include <string>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "image/partitions.hpp"
#include "lock/lock_file.hpp"
#include "pipeline/build.hpp"
#include "support/catch.hpp"
#include "support/deb_builder.hpp"

using namespace mailstead;
namespace fs = std::filesystem;
using test::directory;
using test::file;
using test::symbolic_link;

namespace {

const fs::path kGolden = fs::path(MAILSTEAD_SOURCE_DIR) / "tests/golden/image";
const fs::path kDigests = kGolden / "digests.txt";

template <class T>
T must(Result<T> result) {
  INFO((result ? "" : format_error(result.error())));
  REQUIRE(result);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

struct FixturePackage {
  test::Deb deb;
  lock::Roles roles;
};

test::TarEntry licence(const std::string& package) {
  return file("./usr/share/doc/" + package + "/copyright", "As you like.\n");
}

/// A system with something of each kind that becomes bytes.
FixturePackage base_package() {
  test::TarEntry special = file("./usr/bin/greet", "greet\n", 02755);
  special.gid = 1;
  test::TarEntry late = file("./usr/lib/late", "from the future\n");
  late.mtime = 4'000'000'000;
  test::TarEntry capable = file("./usr/bin/ping", "ping\n", 0755);
  capable.xattrs = {{"user.colour", "green"}};
  return {{.name = "base",
           .version = "1:13~1-2+b1",
           .architecture = "amd64",
           .more_fields = "Multi-Arch: foreign\n",
           .control_files = {{"md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/share/superfluous\n"}},
           .entries = {directory("./"),
                       directory("./etc"),
                       directory("./etc/ld.so.conf.d"),
                       file("./etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"),
                       file("./etc/ld.so.conf.d/more.conf", "/usr/lib/more\n"),
                       directory("./usr"),
                       directory("./usr/bin"),
                       special,
                       capable,
                       test::hard_link("./usr/bin/salute", "./usr/bin/greet"),
                       file("./usr/bin/mawk", "awk\n", 0755),
                       file("./usr/lib/libgreet.so.1", "library\n"),
                       file("./usr/lib/more/libmore.so.2", "library\n"),
                       symbolic_link("./usr/lib/libgreet.so", "libgreet.so.1"),
                       symbolic_link("./lib", "usr/lib"),
                       late,
                       file("./usr/lib/os-release", "ID=debian\n"),
                       file("./usr/lib/systemd/system/greeter.service",
                            "[Install]\nWantedBy=multi-user.target\n"),
                       file("./usr/lib/systemd/system/idle.service", "[Unit]\n"),
                       file("./usr/lib/systemd/catalog/greet.catalog", "-- 0\n"),
                       file("./usr/lib/udev/hwdb.d/20-greet.hwdb", "mouse:*\n"),
                       file("./usr/share/ca-certificates/trust (1).crt", "certificate"),
                       file("./usr/share/superfluous", ""),
                       file("./usr/share/zoneinfo/Etc/UTC", "TZif"),
                       file("./usr/share/" + std::string(120, 'n'), "a long name\n"),
                       file("./usr/share/doc/base/README", "left out\n"),
                       licence("base")},
           .compression = test::Compression::none},
          {true, true, false}};
}

FixturePackage kernel_package() {
  const std::string home = "./usr/lib/modules/6.12-box/";
  return {
      {.name = "linux-image",
       .version = "6.12-1",
       .architecture = "amd64",
       .more_fields = {},
       .control_files = {},
       .entries = {file("./boot/vmlinuz-6.12-box", "the kernel\n"),
                   file(home + "kernel/dm-verity.ko", "module\n"),
                   file(home + "kernel/dm-mod.ko", "module\n"), file(home + "kernel/floppy.ko", "module\n"),
                   file(home + "modules.dep",
                        "kernel/dm-verity.ko: kernel/dm-mod.ko\n"
                        "kernel/dm-mod.ko:\nkernel/floppy.ko:\n"),
                   file(home + "modules.softdep", ""), file(home + "modules.builtin", ""),
                   file(home + "modules.builtin.modinfo", ""),
                   file(home + "modules.order", "kernel/dm-mod.ko\n"), licence("linux-image")},
       .compression = test::Compression::none},
      {true, false, false}};
}

FixturePackage init_package() {
  return {{.name = "init",
           .version = "257-1",
           .architecture = "amd64",
           .more_fields = {},
           .control_files = {},
           .entries = {file("./usr/lib/systemd/systemd", "init\n", 0755), licence("init")},
           .compression = test::Compression::none},
          {false, true, false}};
}

/// Firmware's and GRUB's files; boot.img has at fixed places what grub-core/boot/i386/pc/boot.S has.
FixturePackage loader_package() {
  std::string sector(512, '\xcc');
  sector.replace(0x66, 2, "\xeb\x05");
  sector.replace(510, 2, "\x55\xaa");
  return {
      {.name = "loaders",
       .version = "2.12-9",
       .architecture = "amd64",
       .more_fields = {},
       .control_files = {},
       .entries = {file("./usr/lib/grub/i386-pc/boot.img", sector),
                   file("./usr/lib/shim/shimx64.efi.signed", "shim\n"),
                   file("./usr/lib/shim/mmx64.efi.signed", "mok manager\n"),
                   file("./usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "grub\n"), licence("loaders")},
       .compression = test::Compression::none},
      {false, false, false, true}};
}

/// The one package whose bytes are not literals. Only its name and version get into an image.
FixturePackage tool_package(const std::string& architecture) {
  const std::string stand_in = must(read_file(MAILSTEAD_STAND_IN_TOOL));
  FixturePackage package{{.name = "tools",
                          .version = "1",
                          .architecture = architecture,
                          .more_fields = {},
                          .control_files = {},
                          .entries = {file("./usr/bin/mksquashfs", stand_in, 0755)},
                          .compression = test::Compression::none},
                         {false, false, true}};
  for (const char* name : {"veritysetup", "sfdisk", "mkfs.fat", "mmd", "mcopy", "zstd", "grub-mkimage",
                           "depmod", "ldconfig", "udevadm", "journalctl", "openssl"})
    package.deb.entries.push_back(test::hard_link(std::string("./usr/bin/") + name, "./usr/bin/mksquashfs"));
  return package;
}

/// Puts packages into the store of `cache`, and what locks them into the lock.
void add_packages(std::vector<FixturePackage> packages, const fs::path& cache, lock::Lock& lock) {
  std::sort(packages.begin(), packages.end(),
            [](const auto& a, const auto& b) { return a.deb.name < b.deb.name; });
  for (const auto& [deb, roles] : packages) {
    const std::string bytes = test::make_deb(deb);
    lock::Package package;
    package.name = deb.name;
    package.version = deb.version;
    package.architecture = deb.architecture;
    package.archive = "debian";
    package.pool_path = "pool/main/" + deb.name + ".deb";
    package.size = bytes.size();
    package.sha256 = crypto::sha256_hex(bytes);
    package.roles = roles;
    const fs::path folder = cache / "store/sha256" / package.sha256.substr(0, 2);
    must(make_directories(folder));
    test::write_bytes(folder, package.sha256, bytes);
    lock.packages.push_back(std::move(package));
  }
}

/// The site with keys that only their owner may read, and its lock.
fs::path write_site(const fs::path& folder, const fs::path& cache) {
  const fs::path site = folder / "site";
  fs::copy(kGolden / "site", site, fs::copy_options::recursive);
  for (const auto& entry : fs::recursive_directory_iterator(site))
    fs::permissions(entry, entry.is_directory() ? fs::perms::owner_all : fs::perms::owner_read);
  const fs::path spec = site / "mail.yaml";
  const pipeline::Project project = must(pipeline::open_project(spec, {}));
  const lock::Request& request = project.platform.request;
  lock::Lock lock;
  lock.suite = request.suite;
  lock.architecture = request.architecture;
  lock.host_architecture = request.host_architecture;
  lock.archive_time = 1'750'000'000;
  lock.request_digest = lock::request_digest(request);
  lock.users = request.users;
  lock.groups = request.groups;
  lock.requested_system = request.system;
  lock.requested_initrd = request.initrd;
  lock.requested_tools = request.tools;
  lock.requested_boot = request.boot;
  for (auto* names :
       {&lock.requested_system, &lock.requested_initrd, &lock.requested_tools, &lock.requested_boot})
    std::sort(names->begin(), names->end());
  add_packages({base_package(), kernel_package(), init_package(), loader_package(),
                tool_package(request.host_architecture)},
               cache, lock);
  must(lock::save_lock(project.lock_file, lock));
  return spec;
}

constexpr const char* kImage = "image";
constexpr const char* kIdentity = "identity of the base";
constexpr std::string_view kBasePart = "base: ";

/// A line for the image and for each of its parts, so that a difference has a place; and for the base what
/// `mailstead base` prints.
std::string digests(const std::string& image, const pipeline::BuildResult& result) {
  constexpr std::uint64_t k = image::kMebibyte;
  const auto partitions = must(image::place_partitions({4 * k, 4 * k, 2 * k, k}, "any scope"));
  std::string text;
  const auto line = [&](const std::string& name, std::uint64_t start, std::uint64_t size) {
    text += crypto::sha256_hex(std::string_view(image).substr(start, size)) + "  " + name + "\n";
  };
  line(kImage, 0, image.size());
  line("boot code and partition table", 0, k);
  for (const auto& partition : partitions) line(partition.label, partition.start, partition.size);
  text += fmt::format("{}  {}\n", result.base, kIdentity);
  for (const image::PublicPart& part : result.parts)
    text += fmt::format("{}  {}{}\n", part.sha256, kBasePart, part.name);
  return text;
}

/// The digests of such lines, by what they are of.
std::map<std::string, std::string> by_name(const std::string& text) {
  std::map<std::string, std::string> digests;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) digests[line.substr(66)] = line.substr(0, 64);
  return digests;
}

/// What keeps the lines `after` from taking the place of `before`; empty if nothing does.
std::string update_problem(const std::string& before, const std::string& after) {
  const auto old = by_name(before);
  const auto now = by_name(after);
  if (!old.contains(kIdentity) || old.at(kIdentity) != now.at(kIdentity)) return {};
  auto both = old;
  both.insert(now.begin(), now.end());
  for (const auto& [name, digest] : both) {
    if (!name.starts_with(kBasePart)) continue;
    if (!old.contains(name) || !now.contains(name) || old.at(name) != now.at(name))
      return fmt::format(
          "the base has other bytes ({}) under the same identity: raise kBaseFormat in "
          "builder/pipeline/base_id.cpp",
          name);
  }
  return {};
}

/// What the change log lacks about images with this digest; empty if nothing. Its newest section is the first
/// one, and an entry begins with "* ".
std::string changelog_problem(std::string_view changelog, std::string_view image_digest) {
  const auto begin = changelog.find("\n## ");
  const std::string_view newest = begin == std::string_view::npos
                                      ? std::string_view()
                                      : changelog.substr(begin, changelog.find("\n## ", begin + 1) - begin);
  const std::string_view digits = image_digest.substr(0, 12);
  const auto entries = newest.find("\n* ");
  if (entries != std::string_view::npos && newest.find(digits, entries) != std::string_view::npos) return {};
  return fmt::format(
      "no entry in the newest section of CHANGELOG.md names {}, which the digest of the image in "
      "tests/golden/image/digests.txt begins with: say there, with these digits, why images have other bytes",
      digits);
}

/// A variable of the environment for one test.
class Variable {
 public:
  Variable(const char* name, const fs::path& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  Variable(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("The image of the fixture has the digest that is in git") {
  const auto folder = must(TemporaryDirectory::create());
  const fs::path cache = folder.path() / "cache";
  const Variable cache_variable("MAILSTEAD_CACHE", cache);
  const Variable data_variable("MAILSTEAD_DATA", kGolden / "data");
  const fs::path spec = write_site(folder.path(), cache);

  const auto reporter = make_quiet_reporter();
  pipeline::Options options;
  options.offline = true;
  options.now = 1'750'000'000;
  const fs::path image = folder.path() / "golden.img";
  const pipeline::BuildResult result = must(pipeline::build({spec, image, {}}, options, *reporter));
  const std::string bytes = must(read_file(image));
  const std::string found = digests(bytes, result);

  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    REQUIRE(update_problem(must(read_file(kDigests)), found) == "");
    must(write_file(kDigests, found));
  }
  // What differs can be read in the image: the stand-in tools write text.
  const fs::path kept = fs::path(MAILSTEAD_STAND_IN_TOOL).parent_path() / "golden.img";
  test::write_bytes(kept.parent_path(), kept.filename(), bytes);
  INFO("the bytes of images have changed; look at " << kept
                                                    << " with strings(1). If that is meant, run this with "
                                                    << "UPDATE_GOLDEN=1, and say in CHANGELOG.md why");
  CHECK(found == must(read_file(kDigests)));
}

TEST_CASE("The change log names the digest of the image that is in git") {
  const auto image = by_name(must(read_file(kDigests))).at(kImage);
  CHECK(changelog_problem(must(read_file(fs::path(MAILSTEAD_SOURCE_DIR) / "CHANGELOG.md")), image) == "");
}

TEST_CASE("A digest has to be in an entry of the newest section") {
  const std::string digest = "0123456789ab" + std::string(52, 'c');
  CHECK(changelog_problem(
            "# Changes\n\n## 2\n\n* One.\n* Two, by which the image is\n  0123456789ab.\n\n## 1\n", digest) ==
        "");
  const std::string problem =
      "no entry in the newest section of CHANGELOG.md names 0123456789ab, which the digest of the image in "
      "tests/golden/image/digests.txt begins with: say there, with these digits, why images have other bytes";
  for (const char* changelog :
       {"", "# Changes\n\n* 0123456789ab\n", "# Changes\n\n## 2 (0123456789ab)\n\n* One.\n",
        "# Changes\n\n## 2\n\n* One: 0123456789a.\n",
        "# Changes\n\n## 2\n\n* One.\n\n## 1\n\n* 0123456789ab\n"})
    CHECK(changelog_problem(changelog, digest) == problem);
}

TEST_CASE("A base has other bytes under another identity only") {
  const auto lines = [](char image, char identity, char usr) {
    return fmt::format("{}  image\n{}  identity of the base\n{}  base: usr\n", std::string(64, image),
                       std::string(64, identity), std::string(64, usr));
  };
  const std::string before = lines('a', 'b', 'c');
  const std::string problem =
      "the base has other bytes (base: usr) under the same identity: raise kBaseFormat in "
      "builder/pipeline/base_id.cpp";
  CHECK(update_problem(before, before) == "");
  CHECK(update_problem(before, lines('d', 'b', 'c')) == "");  // the site's part only
  CHECK(update_problem(before, lines('d', 'e', 'f')) == "");
  CHECK(update_problem(before, lines('d', 'b', 'f')) == problem);
  const std::string without_usr = before.substr(0, before.find(std::string(64, 'c')));
  CHECK(update_problem(without_usr, before) == problem);
  CHECK(update_problem(before, without_usr) == problem);
}
