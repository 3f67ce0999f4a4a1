// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/compare.hpp"

#include <algorithm>

#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::verify;

namespace {

Places places() {
  Places made;
  made.add({0, 3u << 20}, {"all", {}, {}});
  made.add({1000, 1000}, {"inner", "label", "path"});
  return made;
}

/// As if the file were an image whose last partition ends 64 sectors in front of the end.
Contents contents_of(const test::DiskFile& file) {
  Contents contents;
  contents.table.end = file.open().size();
  contents.end = contents.table.end - std::min<std::uint64_t>(contents.table.end, 64 * disk::kSectorSize);
  return contents;
}

Check compare(const test::DiskFile& image, const test::DiskFile& reference) {
  const auto reporter = make_quiet_reporter();
  const auto check = compare_disks(image.open(), contents_of(image), reference.open(), contents_of(reference),
                                   places(), *reporter);
  REQUIRE(check);
  return *check;
}

}  // namespace

TEST_CASE("An offset is named by the place that was added last") {
  const Places made = places();
  CHECK(made.at(999).structure == "all");
  CHECK(made.at(1000).structure == "inner");
  CHECK(made.at(1999).path == "path");
  CHECK(made.at(2000).structure == "all");
  CHECK(made.at(4u << 20).structure == "beyond the disk");
}

TEST_CASE("A later name takes its part of as many earlier ones as it touches") {
  Places made;
  made.add({0, 100}, {"one", {}, {}});
  made.add({100, 100}, {"two", {}, {}});
  made.add({300, 100}, {"three", {}, {}});
  made.add({50, 300}, {"over", {}, {}});
  made.add({60, 0}, {"nothing", {}, {}});
  for (const auto& [offset, name] : {std::pair{0, "one"},
                                     {49, "one"},
                                     {50, "over"},
                                     {60, "over"},
                                     {200, "over"},
                                     {349, "over"},
                                     {350, "three"},
                                     {399, "three"},
                                     {400, "beyond the disk"}})
    CHECK(made.at(static_cast<std::uint64_t>(offset)).structure == name);
  made.add({50, 300}, {"again", {}, {}});
  CHECK(made.at(50).structure == "again");
  CHECK(made.at(350).structure == "three");
}

TEST_CASE("Equal disks are equal, wherever one has a hole and the other zeros") {
  const test::DiskFile hole(std::uint64_t{3u << 20});
  CHECK(compare(hole, test::DiskFile(std::string(3u << 20, '\0'))).findings.empty());
}

TEST_CASE("A difference is found in data and in holes, with its place, offset and bytes") {
  const test::DiskFile reference(std::uint64_t{3u << 20});
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{1500}, std::uint64_t{(3u << 20) - 1}}) {
    const test::DiskFile image(std::uint64_t{3u << 20});
    image.flip(offset);
    const Check check = compare(image, reference);
    REQUIRE(check.findings.size() == 1);
    const Finding& finding = check.findings[0];
    CHECK(finding.offset == offset);
    CHECK(finding.structure == (offset == 1500 ? "inner" : "all"));
    CHECK(finding.partition == (offset == 1500 ? "label" : ""));
    CHECK(finding.expected == "00");
    CHECK(finding.found == "01");
    CHECK(compare(reference, image).findings.size() == 1);
  }
}

TEST_CASE("A run of differences is one finding in each place") {
  std::string bytes(4096, 'a');
  const test::DiskFile reference{std::string_view(bytes)};
  bytes.replace(900, 200, std::string(200, 'b'));
  bytes[1990] = 'b';
  const Check check = compare(test::DiskFile{std::string_view(bytes)}, reference);
  REQUIRE(check.findings.size() == 3);
  CHECK(check.findings[0].offset == 900);
  CHECK(check.findings[0].found == "62 62 62 62 62 62 62 62 … (100 bytes)");
  CHECK(check.findings[1].offset == 1000);
  CHECK(check.findings[2].offset == 1990);
}

TEST_CASE("Images of different sizes are different") {
  const Check check = compare(test::DiskFile(1u << 20), test::DiskFile(2u << 20));
  REQUIRE(check.findings.size() == 1);
  CHECK(check.findings[0].structure == "size of the image");
}
