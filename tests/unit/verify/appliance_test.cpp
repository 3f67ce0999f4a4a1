// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/appliance.hpp"

#include <filesystem>

#include "base/files.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::verify;

namespace {

/// A script in the place of the program that reads by libguestfs: $3 is the tar to write, $5 the accelerator.
struct StandIn {
  TemporaryDirectory folder = TemporaryDirectory::create().value();

  Result<FileSystems> read(const std::string& script, vm::Accelerator accelerator) const {
    const auto program = folder.path() / "program";
    REQUIRE(write_file(program, "#!/bin/sh\nset -eu\n" + script, 0755));
    const ReadRequest request{
        folder.path() / "image", folder.path(), folder.path() / "cache", accelerator, program,
        std::chrono::seconds(1)};
    const auto reporter = make_quiet_reporter();
    return read_file_systems(request, *reporter);
  }
  std::string said(const char* file) const { return read_file(folder.path() / file).value_or(""); }
};

constexpr const char* kRead =
    "echo started; mkdir -p tree/etc tree/boot tree/run; echo x >tree/etc/file; tar cf \"$3\" -C tree .\n";

}  // namespace

TEST_CASE("A start that is silent under KVM is ended and tried once more by emulation") {
  const StandIn stand_in;
  const std::string here = "cd " + stand_in.folder.path().string() + "\necho $5 >>tried\n";
  const auto systems = stand_in.read(here + "if [ $5 = kvm ]; then echo $$ >pid; exec sleep 60; fi\n" + kRead,
                                     vm::Accelerator::kvm);
  REQUIRE(systems);
  CHECK(systems->system.find("etc/file") != nullptr);
  CHECK(stand_in.said("tried") == "kvm\ntcg\n");
  const std::string pid = stand_in.said("pid");
  CHECK_FALSE(std::filesystem::exists("/proc/" + pid.substr(0, pid.find('\n'))));
}

TEST_CASE("A machine that has started under KVM may be silent for longer, and a failure is no silence") {
  const StandIn stand_in;
  const std::string here = "cd " + stand_in.folder.path().string() + "\necho $5 >>tried\n";
  REQUIRE(stand_in.read(here + "echo started\necho mounted\nsleep 2\n" + kRead, vm::Accelerator::kvm));
  CHECK(stand_in.said("tried") == "kvm\n");
  const auto failed = stand_in.read(here + "echo 'no such device' >&2; exit 1\n", vm::Accelerator::kvm);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message.starts_with("libguestfs could not read the image: no such device"));
  CHECK(stand_in.said("tried") == "kvm\nkvm\n");
}

TEST_CASE("Files that are larger than any image's end the reading") {
  const StandIn stand_in;
  const auto failed =
      stand_in.read("echo started; truncate -s 3G \"$3\"; exec sleep 60\n", vm::Accelerator::tcg);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::integrity);
  CHECK(failed.error().message == "its files are too large: together more than 2.1 GB");
}
