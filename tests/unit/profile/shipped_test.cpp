// SPDX-License-Identifier: GPL-3.0-or-later
// The profiles as they are shipped.
#include <algorithm>
#include <filesystem>

#include "base/files.hpp"
#include "profile/profile.hpp"
#include "support/catch.hpp"

using namespace mailstead;

namespace {
const std::filesystem::path kData = MAILSTEAD_SOURCE_DIR;
}

TEST_CASE("the shipped profiles are readable") {
  const auto profile = profile::load_profile(kData, GENERATE("cloud-amd64", "server-amd64", "cloud-arm64"));
  REQUIRE(profile);
  for (const std::string& overlay : profile->overlays) {
    INFO(overlay);
    CHECK(std::filesystem::exists(kData / "rootfs-overlays" / overlay / "manifest.yaml"));
  }
  // A serial console without "quiet" is how an accelerator is known to work.
  const auto& arguments = profile->kernel_arguments;
  CHECK(std::find(arguments.begin(), arguments.end(), "quiet") == arguments.end());
  const std::string serial = platform::facts_of(profile->machine.architecture).serial_console;
  CHECK(std::find(arguments.begin(), arguments.end(), "console=" + serial + ",115200n8") != arguments.end());
  // Licence files stay, whatever else of the documentation goes.
  CHECK(std::find(profile->keep.begin(), profile->keep.end(), "usr/share/doc/*/copyright") !=
        profile->keep.end());
}

TEST_CASE("a platform is a profile of at most 40 lines") {
  for (const char* name : {"cloud-amd64", "cloud-arm64"}) {
    const std::string text = read_file(kData / "profiles" / (std::string(name) + ".yaml")).value();
    CHECK(std::count(text.begin(), text.end(), '\n') <= 40);
  }
}
