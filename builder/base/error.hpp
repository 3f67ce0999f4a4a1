// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mailstead {

/// What went wrong, as far as the exit code and the caller's next step depend on it.
enum class ErrorKind {
  usage,        ///< the command line, the spec or another file written by the user is wrong (exit code 2)
  io,           ///< the operating system refused to read, write or start something
  network,      ///< a mirror could not be reached or answered wrongly
  integrity,    ///< bytes are not what a signature, digest or format says they must be
  tool,         ///< a program that we ran failed
  interrupted,  ///< the user asked to stop
  internal,     ///< a bug of ours
};

/// A position in a file that the user can open. Lines and columns count from 1; 0 means unknown.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
  int length = 1;           ///< characters to underline in `source_line`, at least 1
  std::string source_line;  ///< the whole line as written, without its newline; empty when unknown

  friend bool operator==(const Place&, const Place&) = default;
};

/// A failure as a value: what happened, where, what to do about it, and in which context (outermost last).
struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;
  std::optional<Place> place;
  std::string hint;                ///< the remedy, one sentence without a final stop; may be empty
  std::vector<std::string> notes;  ///< "while rendering etc/postfix/main.cf", outermost last
  std::vector<Error> others;       ///< further errors found in the same pass, each printed like this one

  /// Adds a line of context and returns the same error, so that it can be passed on in one expression.
  Error with_note(std::string note) && {
    notes.push_back(std::move(note));
    return std::move(*this);
  }
};

/// Joins errors collected in one pass into one, sorted by file, line, column and message. `errors` is not
/// empty.
Error join_errors(std::vector<Error> errors);

/// The error as the user sees it: place, message, source line with a caret, hint, notes; ends in a newline.
std::string format_error(const Error& error);

/// The same on one line, without source line, notes and further errors: "mail.yaml:4:33: … (hint)". For
/// warnings.
std::string format_error_line(const Error& error);

/// 2 for ErrorKind::usage, else 1.
int exit_code(const Error& error);

}  // namespace mailstead
