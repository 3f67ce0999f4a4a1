// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/slots.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::inspect;

TEST_CASE("What GRUB is told is read as it was written") {
  CHECK(command_line_in("linux ($root)/vmlinuz root=x roothash=ab quiet\ninitrd ($root)/initrd.img\n") ==
        "root=x roothash=ab quiet");
  CHECK(command_line_in("something else").empty());
}

TEST_CASE("Arguments are found by their whole name") {
  Slot slot;
  slot.command_line = "xroothash=1 roothashes=2 roothash=3=4 quiet";
  CHECK(slot.argument("roothash") == "3=4");
  CHECK(slot.argument("quiet").empty());
  CHECK(slot.argument("none").empty());
}

TEST_CASE("A kernel says its release, whatever else it has") {
  std::string kernel(0x400, '\0');
  kernel.replace(0x202, 4, "HdrS");
  kernel[0x20e] = 0x10;  // from 0x200 on
  kernel.replace(0x210, 14, "6.12.1-x (me) ");
  CHECK(kernel_release_in(kernel) == "6.12.1-x");
  kernel[0x20f] = 0x7f;  // behind the end
  CHECK(kernel_release_in(kernel).empty());
  CHECK(kernel_release_in("MZ").empty());
  CHECK(kernel_release_in("").empty());
}
