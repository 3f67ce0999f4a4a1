// SPDX-License-Identifier: GPL-3.0-or-later
// The overlays as they are shipped, whichever of them a profile takes.
#include <map>
#include <set>

#include "base/files.hpp"
#include "overlay/overlay.hpp"
#include "support/catch.hpp"

using namespace mailstead;

namespace {

const std::filesystem::path kData = MAILSTEAD_SOURCE_DIR;

std::vector<overlay::Overlay> all() {
  const auto overlays = overlay::load_overlays(kData, overlay::overlay_names(kData));
  if (!overlays) FAIL(format_error(overlays.error()));
  return *overlays;
}

}  // namespace

TEST_CASE("numbers that files on data partitions carry have not changed") {
  // tests/golden/overlay/ids.txt: never change a line there; add one for a new user or group.
  const auto accounts = overlay::merge_accounts(all());
  if (!accounts) FAIL(format_error(accounts.error()));
  std::map<std::string, std::uint32_t> ids;
  for (const auto& user : accounts->users) ids["user " + user.name] = user.uid;
  for (const auto& group : accounts->groups) ids["group " + group.name] = group.gid;
  std::string found = "# Fixed for ever: see rootfs-overlays/base/manifest.yaml.\n";
  for (const auto& [name, id] : ids) found += name + " " + std::to_string(id) + "\n";
  const auto golden = kData / "tests/golden/overlay/ids.txt";
  const auto expected = read_file(golden);
  REQUIRE(expected);
  CHECK(found == *expected);
  for (const auto& user : accounts->users) {
    INFO(user.name);
    CHECK((user.shell == "/usr/sbin/nologin" || user.name == "root"));
  }
}

TEST_CASE("each package is reviewed once") {
  std::set<std::string> packages;
  for (const overlay::Review& review : overlay::merge_reviews(all())) {
    INFO(review.package);
    CHECK(packages.insert(review.package).second);
  }
  CHECK(packages.size() > 50);
}

TEST_CASE("services of all overlays have names and ports of their own") {
  const auto services = overlay::merge_services(all());
  if (!services) FAIL(format_error(services.error()));
  std::set<std::string> published;
  for (const overlay::Service& service : *services) {
    INFO(service.name);
    if (!service.srv.empty()) CHECK(published.insert(service.srv).second);
  }
}

TEST_CASE("a unit has one bound for its exposure") {
  std::set<std::string> units;
  for (const overlay::Overlay& each : all())
    for (const auto& [unit, bound] : each.sandbox) {
      INFO(unit);
      CHECK(units.insert(unit).second);
    }
  CHECK(units.size() >= 19);
}
