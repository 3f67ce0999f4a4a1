// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace mailstead {

/// `json` (of nlohmann-json) as a document for standard output or a file, with its last newline: ASCII, so
/// that nothing in it steers a terminal. Names of files and texts from images may be any bytes; what is not
/// UTF-8 becomes U+FFFD instead of an exception.
template <class Json>
std::string json_document(const Json& json) {
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace mailstead
