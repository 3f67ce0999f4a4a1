// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/update.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "crypto/digest.hpp"
#include "disk/digest.hpp"
#include "support/made_disk.hpp"
#include "verify/chain.hpp"

using namespace mailstead;
using namespace mailstead::test;
using image::BootState;
using update::Kind;

namespace {

constexpr std::uint64_t kDiskSize = image::kDataStart + 200 * kMebibyte;
const std::string kMail = "mail that nobody may touch";

const std::unique_ptr<Reporter>& reporter() {
  static const std::unique_ptr<Reporter> quiet = make_quiet_reporter();
  return quiet;
}

template <class T>
T must(Result<T> result) {
  INFO((result ? "" : format_error(result.error())));
  REQUIRE(result);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

struct Image {
  explicit Image(const Made& made, const std::string& hostname = kSite)
      : file(made_disk(made, hostname)),
        disk(file.open()),
        proved(must(update::prove_image(disk, *reporter()))) {}
  DiskFile file;
  disk::Disk disk;
  update::ProvedImage proved;
};

const Image& old_image() {
  static const Image image(old_base());
  return image;
}
const Image& new_image() {
  static const Image image(new_base());
  return image;
}

/// A copy of a file whose holes stay holes, as large as a machine's disk.
void copy(const DiskFile& from, const DiskFile& to) {
  output_of({"cp", "--sparse=always", from.path().string(), to.path().string()});
  std::filesystem::resize_file(to.path(), kDiskSize);
}

/// The superblock of an ext4, as far as it is looked at.
std::string superblock(const std::string& hostname) {
  std::string block(1024, '\0');
  block.replace(56, 2, "\x53\xef");
  std::string id = image::data_uuid(hostname);
  std::erase(id, '-');
  for (std::size_t i = 0; i < 16; ++i)
    block[104 + i] = static_cast<char>(std::stoi(id.substr(2 * i, 2), nullptr, 16));
  return block;
}

void put_data(const DiskFile& file, const std::string& hostname = kSite) {
  file.write_at(image::kDataStart + 1024, superblock(hostname));
  file.write_at(image::kDataStart + 30 * kMebibyte, kMail);
}

void require_data(const DiskFile& file) {
  const disk::Disk disk = file.open();
  CHECK(must(disk.read(image::kDataStart + 1024, 1024)) == superblock(kSite));
  CHECK(must(disk.read(image::kDataStart + 30 * kMebibyte, kMail.size())) == kMail);
}

/// That of a machine which has run the old image.
const DiskFile& machine_disk() {
  static const DiskFile& made = []() -> DiskFile& {
    static DiskFile file(std::uint64_t{0});
    copy(old_image().file, file);
    put_data(file);
    return file;
  }();
  return made;
}

DiskFile machine_with(const BootState& state) {
  DiskFile file(std::uint64_t{0});
  copy(machine_disk(), file);
  file.write_at(image::boot_state_place(partition(image::kEspNumber)), image::boot_state_block(state));
  return file;
}

BootState state_of(const DiskFile& file) {
  const auto block =
      must(file.open().read(image::boot_state_place(partition(image::kEspNumber)), image::kBootStateSize));
  const auto state = image::read_boot_state(block);
  REQUIRE(state);
  return *state;
}

std::string slot_digest(const DiskFile& file, std::size_t slot) {
  const disk::Disk disk = file.open();
  std::string digests;
  for (const auto number : {image::kSlots[slot].boot, image::kSlots[slot].usr, image::kSlots[slot].root})
    digests += must(disk::measure(disk, {partition(number).start, partition(number).size})).sha256;
  return digests;
}

/// Every byte follows from `root_hash`, which the disk starts next.
void require_verified(const DiskFile& file, const std::string& root_hash) {
  const disk::Disk disk = file.open();
  const auto contents = must(verify::read_contents(disk));
  const auto partitions = must(image::place_partitions(contents.layout, ""));
  verify::Report report;
  must(verify::check_chain(disk, contents, verify::Places::of(disk, partitions, contents.table.end),
                           root_hash, *reporter(), report));
  for (const verify::Check& check : report.checks)
    for (const verify::Finding& finding : check.findings) {
      INFO(check.name << ": " << finding.structure << ": " << finding.expected << ", " << finding.found);
      CHECK(false);
    }
}

/// Fails at a step, of writes and flushes together, in one of the ways in which a disk can lose power.
class Failing : public update::Writer {
 public:
  enum class Loss { none, torn, all, all_but_last };
  Failing(update::Writer& real, const DiskFile& file, int steps, Loss loss)
      : real_(real), disk_(file.open()), steps_(steps), loss_(loss) {}

  bool failed() const { return failed_; }

  Status write(std::uint64_t offset, std::string_view bytes) override {
    if (steps_-- == 0) {
      if (loss_ == Loss::torn) CHECK_OK(real_.write(offset, bytes.substr(0, bytes.size() / 2 + 3)));
      return lose();
    }
    TRY(std::string before, disk_.read(offset, bytes.size()));
    unflushed_.emplace_back(offset, std::move(before));
    return real_.write(offset, bytes);
  }
  Status flush() override {
    if (steps_-- == 0) return lose();
    unflushed_.clear();
    return real_.flush();
  }

 private:
  Status lose() {
    failed_ = true;
    if (loss_ == Loss::all_but_last && !unflushed_.empty()) unflushed_.pop_back();
    if (loss_ == Loss::all || loss_ == Loss::all_but_last)
      for (auto lost = unflushed_.rbegin(); lost != unflushed_.rend(); ++lost)
        CHECK_OK(real_.write(lost->first, lost->second));
    return fail(ErrorKind::io, "the power is gone");
  }

  update::Writer& real_;
  disk::Disk disk_;
  int steps_;
  Loss loss_;
  bool failed_ = false;
  std::vector<std::pair<std::uint64_t, std::string>> unflushed_;
};

constexpr Failing::Loss kLosses[] = {Failing::Loss::none, Failing::Loss::torn, Failing::Loss::all,
                                     Failing::Loss::all_but_last};

update::Plan plan(const Image& image, const DiskFile& file) {
  return must(update::plan_update(image.disk, image.proved, file.open(), *reporter()));
}

update::Written update_to(const Image& image, const DiskFile& file) {
  auto target = must(update::Target::open(file.path()));
  const disk::Disk disk = file.open();
  const auto planned = must(update::plan_update(image.disk, image.proved, disk, *reporter()));
  return must(update::carry_out(planned, image.disk, image.proved, disk, target, *reporter()));
}

/// Why an update is refused; nothing is written then, since there is no plan.
std::string refusal(const DiskFile& file, const Image& image = new_image()) {
  const auto planned = update::plan_update(image.disk, image.proved, file.open(), *reporter());
  REQUIRE_FALSE(planned);
  CHECK(planned.error().kind == ErrorKind::usage);
  CHECK_FALSE(planned.error().hint.empty());
  std::string message = planned.error().message;
  const std::string name = file.path().string();
  for (auto at = message.find(name); at != std::string::npos; at = message.find(name))
    message.replace(at, name.size(), "DISK");
  return message;
}

}  // namespace

TEST_CASE("The slot that is not proven is written and put on trial; the other one and the data stay") {
  for (const BootState& before : {BootState{}, {'a', 'b', 2}, {'a', 'b', 0}}) {
    const DiskFile file = machine_with(before);
    const std::string stays = slot_digest(file, 0);
    const auto written = update_to(new_image(), file);
    CHECK(written.written > 0);
    CHECK(written.written < 2 * kMebibyte);
    CHECK(state_of(file) == BootState{'a', 'b', 3});
    CHECK(slot_digest(file, 0) == stays);
    require_data(file);
    require_verified(file, new_base().root_hash);
    // Again: nothing differs, and it has all its tries.
    file.write_at(image::boot_state_place(partition(image::kEspNumber)),
                  image::boot_state_block({'a', 'b', 1}));
    CHECK(update_to(new_image(), file).written == 0);
    CHECK(state_of(file) == BootState{'a', 'b', 3});
  }
}

TEST_CASE("Where slot B has proved itself, slot A is written, and what a larger image has left behind goes") {
  const DiskFile file = machine_with({});
  update_to(new_image(), file);
  file.write_at(image::boot_state_place(partition(image::kEspNumber)), image::boot_state_block({'b', {}, 0}));
  file.write_at(partition(image::kRootNumberA).start + kMebibyte - 10, "left over");
  const Image newest(Made(std::string(64, 'c')));
  CHECK(plan(newest, file).slot() == 'a');
  update_to(newest, file);
  CHECK(state_of(file) == BootState{'b', 'a', 3});
  require_verified(file, newest.proved.root_hash);
}

TEST_CASE("An image that the proven slot has already is not written") {
  const DiskFile file = machine_with({});
  CHECK(plan(old_image(), file).kind == Kind::none);
  CHECK(update_to(old_image(), file).written == 0);
  CHECK(state_of(file) == BootState{});
}

TEST_CASE("A damaged boot state is taken for slot A, and is whole after an update") {
  const DiskFile file = machine_with({});
  file.write_at(image::boot_state_place(partition(image::kEspNumber)) + 2, "garbage\xff");
  CHECK(plan(new_image(), file).state_damaged);
  update_to(new_image(), file);
  CHECK(state_of(file) == BootState{'a', 'b', 3});
  require_verified(file, new_base().root_hash);
}

TEST_CASE("Wherever an update ends, the proven slot starts and the data are there; the next update works") {
  const std::string stays = slot_digest(machine_disk(), 0);
  const BootState before{'a', 'b', 3};  // so that ending a trial is the first step
  for (const Failing::Loss loss : kLosses) {
    for (int steps = 0;; ++steps) {
      const DiskFile file = machine_with(before);
      bool failed = false;
      {
        auto target = must(update::Target::open(file.path()));
        Failing failing(target, file, steps, loss);
        const disk::Disk disk = file.open();
        const auto planned =
            must(update::plan_update(new_image().disk, new_image().proved, disk, *reporter()));
        const auto done =
            update::carry_out(planned, new_image().disk, new_image().proved, disk, failing, *reporter());
        failed = failing.failed();
        CHECK(done.has_value() != failed);
      }
      INFO(image::describe(before) << ", loss " << static_cast<int>(loss) << " at step " << steps);
      CHECK(slot_digest(file, 0) == stays);
      require_data(file);
      const BootState state = state_of(file);
      CHECK(state.slot == 'a');
      // Until it is written, nothing of the slot has changed; a trial that is on is one of a whole slot.
      if (state.on_trial() && slot_digest(file, 1) != slot_digest(machine_disk(), 1))
        require_verified(file, new_base().root_hash);
      if (!failed) {
        CHECK(steps > 6);
        break;
      }
      if (loss != Failing::Loss::torn) continue;
      update_to(new_image(), file);
      CHECK(state_of(file) == BootState{'a', 'b', 3});
      CHECK(slot_digest(file, 0) == stays);
    }
  }
}

TEST_CASE("An empty disk gets all of the image, and one with the data of the site keeps them") {
  for (const bool data : {false, true}) {
    DiskFile file(kDiskSize);
    if (data) put_data(file);
    const auto planned = plan(new_image(), file);
    CHECK(planned.kind == Kind::whole);
    CHECK(planned.has_data == data);
    update_to(new_image(), file);
    CHECK(state_of(file) == BootState{});
    if (data) require_data(file);
    require_verified(file, new_base().root_hash);
    CHECK(plan(new_image(), file).kind == Kind::none);
  }
}

TEST_CASE("A first writing that ends anywhere is taken up again") {
  for (const Failing::Loss loss : {Failing::Loss::torn, Failing::Loss::all}) {
    for (int steps = 0;; steps += 2) {
      DiskFile file(kDiskSize);
      put_data(file);
      bool failed = false;
      {
        auto target = must(update::Target::open(file.path()));
        Failing failing(target, file, steps, loss);
        const disk::Disk disk = file.open();
        const auto planned =
            must(update::plan_update(old_image().disk, old_image().proved, disk, *reporter()));
        const auto done =
            update::carry_out(planned, old_image().disk, old_image().proved, disk, failing, *reporter());
        failed = failing.failed();
        CHECK(done.has_value() != failed);
      }
      if (!failed) break;
      INFO("loss " << static_cast<int>(loss) << " at step " << steps);
      // Where only the last word of the disk is missing, all has been written.
      CHECK(plan(old_image(), file).kind != Kind::slot);
      update_to(old_image(), file);
      require_data(file);
      require_verified(file, old_base().root_hash);
    }
  }
}

TEST_CASE("Where the EFI system partition is not what the disk says, no sound image is lost") {
  const DiskFile file = machine_with({});
  file.write_at(partition(image::kEspNumber).start + old_base().esp.find("of aaaa"), "xx");
  {
    const disk::Disk disk = file.open();
    const auto refused = update::plan_update(new_image().disk, new_image().proved, disk, *reporter());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::usage);
    CHECK(refused.error().message.find("does not match its record, and slot A has an image") !=
          std::string::npos);
  }
  // Once nothing on it starts, all is written but the table.
  file.write_at(partition(image::kRootNumberA).start, std::string(4096, 'x'));
  const auto planned = plan(new_image(), file);
  CHECK(planned.kind == Kind::whole);
  CHECK(planned.has_table);
  update_to(new_image(), file);
  require_data(file);
  require_verified(file, new_base().root_hash);
}

TEST_CASE("A disk that holds anything else is refused, with what was found") {
  {
    const Image other(Made(kNew, "mail.example.net"), "mail.example.net");
    CHECK(refusal(machine_with({}), other) ==
          "DISK is not a disk of mail.example.net: it holds the system of another site");
  }
  DiskFile disk(kDiskSize);
  disk.write_at(image::kDataStart + 5 * kMebibyte, "x");
  CHECK(refusal(disk) == "DISK holds something at 2 GiB that is not the data of mail.example.org");
  DiskFile foreign(kDiskSize);
  put_data(foreign, "mail.example.net");
  CHECK(refusal(foreign) == "DISK holds something at 2 GiB that is not the data of mail.example.org");
  DiskFile ext4(kDiskSize);
  ext4.write_at(1080, "\x53\xef");
  CHECK(refusal(ext4) == "DISK holds an ext2, ext3 or ext4 file system");
  DiskFile mbr(kDiskSize);
  mbr.write_at(450, "\x83");
  mbr.write_at(510, "\x55\xaa");
  CHECK(refusal(mbr) == "DISK holds an MBR partition table");
  DiskFile unknown(kDiskSize);
  unknown.write_at(90 * kMebibyte + 5000, "x");
  CHECK(refusal(unknown) == fmt::format("DISK holds something at byte {}", 90 * kMebibyte + 5000));
  CHECK(refusal(DiskFile(image::kDataStart)) ==
        "DISK is too small: it has 2.1 GB, and the data begin at 2 GiB");
  DiskFile linux_disk(kDiskSize);
  output_of({"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--lock=no", linux_disk.path().string()},
            "label: gpt\nsize=10M, type=linux, name=\"home\"\nsize=10M, type=linux\n");
  CHECK(refusal(linux_disk) ==
        "DISK is not a disk of mail.example.org: it holds partitions of something else: \"home\", number 2");
  DiskFile sizes = machine_with({});
  output_of({"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--lock=no", "--delete",
             sizes.path().string(), "8"});
  CHECK(refusal(sizes).starts_with("DISK is a disk of mail.example.org whose partitions have other sizes"));
}

TEST_CASE("The last slot that starts is not written over") {
  for (const BootState& before : {BootState{}, {'a', 'b', 2}}) {
    const DiskFile file = machine_with({});
    update_to(new_image(), file);
    file.write_at(image::boot_state_place(partition(image::kEspNumber)), image::boot_state_block(before));
    file.write_at(partition(image::kRootNumberA).start + 5000, "\xff\xff");
    const Image newest(Made(std::string(64, 'c')));
    const std::string stays = slot_digest(file, 1);
    update_to(newest, file);
    CHECK(state_of(file) == BootState{'b', 'a', 3});
    CHECK(slot_digest(file, 1) == stays);
    require_verified(file, newest.proved.root_hash);
    file.write_at(partition(image::kRootNumberA).start + 5000, "\xff\xff");
    file.write_at(partition(image::kRootNumberB).start + 5000, "\xff\xff");
    CHECK_FALSE(plan(newest, file).stays_sound);
  }
}

TEST_CASE("An image that does not follow from its root hash is refused, and so is the disk of a machine") {
  const auto why = [](const DiskFile& file) {
    const auto proved = update::prove_image(file.open(), *reporter());
    REQUIRE_FALSE(proved);
    return proved.error();
  };
  const DiskFile file = made_disk(new_base());
  file.write_at(partition(image::kUsrNumberA).start + 5000, "\xff");
  const Error error = why(file);
  CHECK(error.kind == ErrorKind::integrity);
  CHECK(error.message.ends_with(" is not what it should be; nothing has been written"));
  REQUIRE(!error.notes.empty());
  CHECK(error.notes.front().starts_with("/usr: "));
  CHECK(why(machine_disk()).message.ends_with("it is, or was, the disk of a machine"));
}

TEST_CASE("Going back ends a trial, or tries the other slot if that one is sound") {
  const auto back = [](const DiskFile& file) -> Result<update::WayBack> {
    auto target = must(update::Target::open(file.path()));
    const disk::Disk disk = file.open();
    TRY(update::WayBack way, update::plan_way_back(disk, *reporter()));
    CHECK_OK(update::write_state(disk, way.esp, way.after, target));
    return way;
  };
  const DiskFile file = machine_with({});
  const auto nothing = back(file);
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().message.starts_with("slot B of "));
  CHECK(nothing.error().message.ends_with(" is empty: there is nothing to go back to"));
  update_to(new_image(), file);
  CHECK(must(back(file)).root_hash == old_base().root_hash);
  CHECK(state_of(file) == BootState{});
  // As on a disk whose trial is lost: the other slot is tried, and not kept without its proof.
  CHECK(must(back(file)).root_hash == new_base().root_hash);
  CHECK(state_of(file) == BootState{'a', 'b', 3});
  CHECK(must(back(file)).hostname == kSite);
  CHECK(state_of(file) == BootState{});
  file.write_at(partition(image::kUsrNumberB).start + 5000, "\xff");
  CHECK(back(file).error().message.ends_with(" is damaged: there is nothing to go back to"));
  CHECK(state_of(file) == BootState{});
  CHECK_FALSE(back(DiskFile(kDiskSize)));
}

TEST_CASE("What is no raw disk, or is in use, is not opened") {
  const auto why = [](const std::filesystem::path& path) {
    const auto target = update::Target::open(path);
    REQUIRE_FALSE(target);
    CHECK(target.error().kind == ErrorKind::usage);
    const std::string& message = target.error().message;
    return message.substr(message.find(' ', message.find('/')) + 1);
  };
  const DiskFile file(kMebibyte);
  const auto folder = file.path().parent_path();
  CHECK(why(folder) == "is neither a disk nor a file");
  CHECK(why("/dev/null") == "is neither a disk nor a file");
  CHECK(update::Target::open(folder / "none").error().message ==
        "there is no disk " + (folder / "none").string());
  std::filesystem::create_symlink("disk", folder / "link");
  CHECK(why(folder / "link") == "is a symbolic link");
  {
    const auto open = must(update::Target::open(file.path()));
    CHECK(why(file.path()).starts_with("is in use: "));
    CHECK(open.is(file.path()));
    CHECK(open.is(folder / "link"));
    CHECK_FALSE(open.is(folder));
  }
  for (const auto& [magic, name] :
       {std::pair{std::string("QFI\xfb"), "qcow2"}, {"KDMV", "vmdk"}, {"vhdxfile", "vhdx"}}) {
    file.write(magic + std::string(1000, '\0'));
    CHECK(why(file.path()) ==
          fmt::format("is a virtual disk in the format {}; only raw files can be updated", name));
  }
}

TEST_CASE("No write reaches into the data") {
  const DiskFile file(kDiskSize);
  auto target = must(update::Target::open(file.path()));
  CHECK(target.write(image::kDataStart - 2, "xx"));
  CHECK_FALSE(target.write(image::kDataStart - 1, "xx"));
  CHECK_FALSE(target.write(image::kDataStart + 5, "x"));
  CHECK_FALSE(target.write(~std::uint64_t{0}, "x"));
}
