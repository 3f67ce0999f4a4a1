// SPDX-License-Identifier: GPL-3.0-or-later
#include "text/base64.hpp"

#include "support/catch.hpp"

using namespace mailstead::text;

TEST_CASE("base64 is that of RFC 4648 section 10, both ways") {
  const std::pair<const char*, const char*> known[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, coded] : known) {
    CHECK(to_base64(bytes) == coded);
    CHECK(from_base64(coded) == bytes);
  }
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (std::size_t i = 0; i < 4; ++i) CHECK(from_base64(to_base64(all.substr(i))) == all.substr(i));
  CHECK(to_base64("\xfb\xff\xfe") == "+//+");
}

TEST_CASE("what to_base64 does not write is not base64") {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zh==", "Zm9=", "Zm9v\n", "Zm 9",
                          "Zg==Zg==", "Zm-_", "Zm9v====", "=Zg="}) {
    INFO(bad);
    CHECK_FALSE(from_base64(bad));
  }
}
