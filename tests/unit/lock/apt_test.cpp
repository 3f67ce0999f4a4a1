// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/apt.hpp"

#include <csignal>

#include "base/interrupt.hpp"
#include "support/catch.hpp"
#include "support/child.hpp"

namespace mailstead::lock {
namespace {

TEST_CASE("whoever waits for the folder of another process can be interrupted") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const auto keyring = folder.path() / "keyring";
  REQUIRE(write_file(keyring, ""));
  const AptSetup setup{"trixie", "amd64", "http://a.example", "http://b.example", keyring};
  const auto first = Apt::open(folder.path(), setup);
  REQUIRE(first);
  // In a process of its own: an interruption cannot be taken back.
  const Outcome outcome = in_child([&] {
    catch_interrupts();
    // A wait that does not end is ended by this signal, and the test fails.
    ::alarm(60);
    ::raise(SIGINT);
    const auto second = Apt::open(folder.path(), setup);
    return second ? "opened" : format_error(second.error());
  });
  CHECK(outcome.text == "interrupted; no partial output was left\n");
}

}  // namespace
}  // namespace mailstead::lock
