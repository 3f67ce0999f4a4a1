// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/initrd.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::image;

namespace {

using Paths = std::vector<std::string>;

// As depmod writes them.
constexpr std::string_view kDependencies =
    "kernel/crypto/crc32c_generic.ko.xz:\n"
    "kernel/drivers/md/dm-bufio.ko.xz: kernel/drivers/md/dm-mod.ko.xz kernel/drivers/dax/dax.ko.xz\n"
    "kernel/drivers/md/dm-mod.ko.xz: kernel/drivers/dax/dax.ko.xz\n"
    "kernel/drivers/dax/dax.ko.xz:\n"
    "kernel/drivers/md/dm-verity.ko.xz: kernel/drivers/md/dm-bufio.ko.xz kernel/drivers/md/dm-mod.ko.xz "
    "kernel/drivers/dax/dax.ko.xz\n"
    "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz\n"
    "kernel/fs/jbd2/jbd2.ko.xz:\n"
    "kernel/fs/squashfs/squashfs.ko.xz:\n";
constexpr std::string_view kSoftDependencies =
    "# Soft dependencies extracted from modules themselves.\n"
    "softdep ext4 pre: crc32c\n"
    "softdep jbd2 pre: crc32c-generic post: crc32c-sparc64\n"
    "softdep dm_mod\n";
constexpr std::string_view kBuiltin = "kernel/drivers/virtio/virtio-pci.ko\nkernel/fs/fat/fat.ko\n";

Result<Paths> closure(const std::vector<std::string>& names) {
  const auto index = ModuleIndex::parse(kDependencies, kSoftDependencies, kBuiltin);
  REQUIRE(index);
  return index->closure(names);
}

Paths paths_of(const std::vector<std::string>& names) {
  auto result = closure(names);
  INFO((result ? "" : format_error(result.error())));
  REQUIRE(result);
  return *result;
}

}  // namespace

TEST_CASE("A module's name is that of its file, with '_' for '-'") {
  CHECK(module_name("kernel/drivers/md/dm-verity.ko.xz") == "dm_verity");
  CHECK(module_name("kernel/drivers/md/dm-verity.ko") == "dm_verity");
  CHECK(module_name("dm_verity.ko.zst") == "dm_verity");
  CHECK(module_name("kernel/net/802/stp.ko.gz") == "stp");
  CHECK(module_name("") == "");
}

TEST_CASE("All that a module needs comes with it, sorted and each once") {
  CHECK(paths_of({"dm-verity"}) == Paths{"kernel/drivers/dax/dax.ko.xz", "kernel/drivers/md/dm-bufio.ko.xz",
                                         "kernel/drivers/md/dm-mod.ko.xz",
                                         "kernel/drivers/md/dm-verity.ko.xz"});
  CHECK(paths_of({"squashfs", "dm_mod", "dm-mod", "squashfs"}) == Paths{"kernel/drivers/dax/dax.ko.xz",
                                                                        "kernel/drivers/md/dm-mod.ko.xz",
                                                                        "kernel/fs/squashfs/squashfs.ko.xz"});
  CHECK(paths_of({}).empty());
}

TEST_CASE("'-' and '_' are the same in a module's name") {
  CHECK(paths_of({"dm_verity"}) == paths_of({"dm-verity"}));
}

TEST_CASE("Soft dependencies come along where the kernel has them, also those of a dependency") {
  // crc32c is an alias, crc32c-sparc64 is for another machine: neither is a file of this kernel.
  CHECK(paths_of({"ext4"}) == Paths{"kernel/crypto/crc32c_generic.ko.xz", "kernel/fs/ext4/ext4.ko.xz",
                                    "kernel/fs/jbd2/jbd2.ko.xz"});
}

TEST_CASE("What is built into the kernel needs no file") {
  CHECK(paths_of({"virtio_pci", "fat", "squashfs"}) == Paths{"kernel/fs/squashfs/squashfs.ko.xz"});
}

TEST_CASE("All modules that the kernel lacks are named at once, as the profile has them") {
  const auto result = closure({"dm-verity", "dm-veritas", "fat", "squash_fs"});
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::usage);
  CHECK(result.error().message == "the kernel has no module dm-veritas, squash_fs");
  CHECK(result.error().hint == "correct 'initrd_modules' in the profile");
}

TEST_CASE("A circle of dependencies ends") {
  const auto index =
      ModuleIndex::parse("a.ko: b.ko\nb.ko: a.ko\n", "softdep a post: b\nsoftdep b pre: a\n", "");
  REQUIRE(index);
  CHECK(index->closure({"a"}).value() == Paths{"a.ko", "b.ko"});
}

TEST_CASE("A last line without a newline counts") {
  const auto index = ModuleIndex::parse("a.ko: b.ko\n\nb.ko:", "softdep a pre: c", "c.ko");
  REQUIRE(index);
  CHECK(index->closure({"a", "c"}).value() == Paths{"a.ko", "b.ko"});
}

TEST_CASE("What is no modules.dep is refused") {
  for (const char* text : {"kernel/fs/ext4/ext4.ko\n", ": a.ko\n", "a.ko:\ngarbage"}) {
    const auto index = ModuleIndex::parse(text, "", "");
    REQUIRE_FALSE(index);
    CHECK(index.error().kind == ErrorKind::integrity);
  }
  CHECK(ModuleIndex::parse("a.ko:\ngarbage", "", "").error().message == "modules.dep has the line 'garbage'");
}
