// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/scale.hpp"

#include "support/catch.hpp"

using namespace mailstead::inspect;

TEST_CASE("Partitions are drawn to scale, and what is used of them") {
  const Scale scale = draw_to_scale({{"1", 100, 50}, {"2", 300, 300}, {"3", 100, 0}}, 14);
  CHECK(scale.bar == "|#.|######|..|");
  CHECK(scale.names == " 1  2      3");
}

TEST_CASE("The smallest partition has a column, and a little use of a large one is seen") {
  const Scale scale = draw_to_scale({{"1", 1, 1}, {"2", 1'000'000, 1}, {"", 1'000'000, 0}}, 24);
  CHECK(scale.bar.size() == 24);
  CHECK(scale.bar == "|#|#.........|         |");
}

TEST_CASE("A terminal that is too narrow gets what is needed at least; no partitions, no drawing") {
  CHECK(draw_to_scale({{"1", 5, 0}, {"2", 5, 5}}, 1).bar == "|.|#|");
  CHECK(draw_to_scale({}, 80).bar.empty());
  CHECK(draw_to_scale({{"1", 0, 0}}, 5).bar == "|...|");
}

TEST_CASE("A name that does not fit is cut") {
  CHECK(draw_to_scale({{"10", 1, 0}, {"11", 99, 0}}, 12).names == " 1 11");
}
