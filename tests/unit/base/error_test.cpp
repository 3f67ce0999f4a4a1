// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/error.hpp"

#include "base/result.hpp"
#include "support/catch.hpp"

namespace mailstead {
namespace {

TEST_CASE("format_error: place, source line, caret, hint and notes") {
  Error error;
  error.kind = ErrorKind::usage;
  error.message = "unknown key 'acounts'; did you mean 'accounts'?";
  error.place = Place{"mail.yaml", 14, 3, 7, "  acounts:"};
  error.notes = {"while reading the spec"};
  CHECK(format_error(error) ==
        "mail.yaml:14:3: unknown key 'acounts'; did you mean 'accounts'?\n"
        "   14 |   acounts:\n"
        "      |   ^~~~~~~\n"
        "  while reading the spec\n");
  CHECK(exit_code(error) == 2);
}

TEST_CASE("format_error: control characters of a hostile file do not reach the terminal") {
  Error error;
  error.message = "bad";
  error.place = Place{"f", 1, 1, 99, "\x1b[31mx"};
  CHECK(format_error(error) == "f:1:1: bad\n    1 | ?[31mx\n      | ^~~~~~\n");
}

TEST_CASE("format_error: nor do those of a message, a hint, a note or a file's name") {
  // ESC, DEL, CSI as one character of C1 and as a byte of it, an override and an isolate of direction.
  const std::string hostile =
      "a\x1b[1m\x7f\xc2\x9b"
      "1m\x9b\xe2\x80\xae"
      "b\xe2\x81\xa6\tü\n";
  const std::string harmless = "a?[1m??1m??b? ü\n";
  Error error;
  error.message = hostile + "m";
  error.place = Place{"f\x1b", 1, 1, 1, {}};
  error.hint = hostile + "h";
  error.notes = {hostile + "n"};
  CHECK(format_error(error) == "f?:1:1: " + harmless + "m\n  " + harmless + "h\n  " + harmless + "n\n");
  CHECK(format_error_line(error) == "f?:1:1: " + harmless + "m (" + harmless + "h)");
}

TEST_CASE("join_errors sorts by place") {
  Error late{ErrorKind::usage, "late", Place{"f", 9, 1, 1, ""}, {}, {}, {}};
  Error early{ErrorKind::usage, "early", Place{"f", 2, 5, 1, ""}, {}, {}, {}};
  CHECK(format_error(join_errors({late, early})) == "f:2:5: early\nf:9:1: late\n");
}

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorKind::internal, "odd");
  return number / 2;
}
Result<int> quarter(int number) {
  TRY(const int first, half(number));
  TRY(const int second, half(first));
  return second;
}

TEST_CASE("TRY passes values and errors on") {
  CHECK(quarter(8).value() == 2);
  REQUIRE_FALSE(quarter(6));
  CHECK(quarter(6).error().message == "odd");
}

}  // namespace
}  // namespace mailstead
