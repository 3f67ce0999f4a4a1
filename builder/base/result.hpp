// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "base/error.hpp"

namespace mailstead {

/// A value or the Error that prevented it. Never ignored silently: the type is [[nodiscard]].
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

/// What a function that only can fail returns; `return ok();` on success.
using Status = Result<void>;
inline Status ok() {
  return {};
}

/// An error to return where a Result is expected: `return fail(ErrorKind::io, "cannot …", "free some
/// space")`.
inline tl::unexpected<Error> fail(ErrorKind kind, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(Error{kind, std::move(message), {}, std::move(hint), {}, {}});
}
inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

#define MAILSTEAD_CONCAT_(a, b) a##b
#define MAILSTEAD_CONCAT(a, b) MAILSTEAD_CONCAT_(a, b)

/// `TRY(auto text, read_file(path));` declares text, or returns the error from the enclosing function.
#define TRY(declaration, expression) TRY_(MAILSTEAD_CONCAT(try_result_, __LINE__), declaration, expression)
#define TRY_(temporary, declaration, expression)                                           \
  auto temporary = (expression);                                                           \
  if (!temporary) return tl::unexpected<::mailstead::Error>(std::move(temporary).error()); \
  declaration = *std::move(temporary)

/// `CHECK_OK(write_file(…));` returns the error from the enclosing function, if there is one.
#define CHECK_OK(expression)                                                      \
  do {                                                                            \
    if (auto check_status = (expression); !check_status)                          \
      return tl::unexpected<::mailstead::Error>(std::move(check_status).error()); \
  } while (false)

}  // namespace mailstead
