// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mailstead::mailtest {

using Variables = std::map<std::string, std::string>;

/// Whether `pattern` covers all of `text`; '*' stands for any characters (also none, also line ends), '?' for
/// one.
bool glob_matches(std::string_view pattern, std::string_view text);

/// Searches `text` for a regular expression of RE2 (^ and $ match at each line). A group written (?P<name>…)
/// leaves what it matched in `captures`, an empty text if it matched nothing. Returns whether the expression
/// was found. Errors: a bad expression, or one that would take more than 8 MB. Source: RE2's syntax page.
Result<bool> regex_search(const std::string& expression, const std::string& text, Variables& captures);

/// An error if the expression is invalid for regex_search. References to variables in it stand for any text.
Status check_regex(const std::string& expression);

/// Replaces ${name}, ${base64:text with \0 and ${name}} and ${length:name} by their values.
/// Errors: a name without a value, an open brace, a bad escape.
Result<std::string> expand(std::string_view text, const Variables& variables);

/// Replaces \r \n \t \0 \\ \" and \xHH as in C. Errors: any other escape.
Result<std::string> unescape(std::string_view text);

/// "300ms", "30s" or "2m", up to 24 hours; nothing for anything else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "512M" or "4G", up to 1024G, in bytes; nothing for anything else.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// A place on a disk, the sum of sizes and numbers of bytes: "2G+1024"; nothing for anything else.
std::optional<std::uint64_t> parse_place(std::string_view text);

/// Every line end (LF or CRLF) becomes CRLF; a last line without one gets it.
std::string to_crlf(std::string_view text);
/// The form of a message after DATA, with leading dots doubled and the final ".CRLF" (RFC 5321
/// section 4.5.2).
std::string dot_stuff(std::string_view crlf_text);

/// For people: the first `limit` bytes as mailstead::printable shows them, but line ends as \r and \n; then
/// "…" if there are more.
std::string printable(std::string_view text, std::size_t limit = 2000);

}  // namespace mailstead::mailtest
