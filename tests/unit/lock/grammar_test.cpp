// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/grammar.hpp"

#include <string>

#include "support/catch.hpp"

using namespace mailstead::lock;

TEST_CASE("Versions are those of Debian Policy 5.6.12") {
  for (const char* version : {"1", "5.2.37-2+b8", "4:12.2.0-3", "2.41-12", "1.0~rc1", "20250419", "6.12.57-1",
                              "0.0-1-2", "1:0", "3.0+dfsg1-1~deb13u1", "1.2A"}) {
    INFO(version);
    CHECK(is_version(version));
  }
  const std::string longest(200, '1');
  CHECK(is_version(longest));
  for (const std::string& version :
       {std::string(), longest + "1", std::string("a"), std::string(":1"), std::string("x:1"),
        std::string("1:"), std::string("1:2:3"), std::string("1234567890:1"), std::string("1-"),
        std::string("-1"), std::string("1-2:3"), std::string("1 2"), std::string("1\n"), std::string("1_2"),
        std::string("1/2"), std::string("1\0", 2), std::string("1é")}) {
    INFO(version);
    CHECK_FALSE(is_version(version));
  }
}

TEST_CASE("Package names are those of Debian Policy 5.6.1") {
  for (const char* name : {"g++", "libc6", "0ad", "libstdc++6", "python3.13", "a2"})
    CHECK(is_package_name(name));
  CHECK(is_package_name(std::string(120, 'a')));
  for (const std::string& name : {std::string(), std::string("a"), std::string("-o"), std::string("+a"),
                                  std::string("Bash"), std::string("a_b"), std::string("a b"),
                                  std::string("a/b"), std::string("a\0b", 3), std::string(121, 'a')})
    CHECK_FALSE(is_package_name(name));
}

TEST_CASE("A path in the pool leads nowhere else") {
  CHECK(is_pool_path("pool/main/a/acl/libacl1_2.3.2-2+b1_amd64.deb"));
  CHECK(is_pool_path("pool/updates/main/g/g++/g++_12.2.0-3_arm64.deb"));
  for (const char* path : {"", "pool/", "/pool/main/a.deb", "main/a.deb", "pool/../a.deb", "pool/./a.deb",
                           "pool/a/..deb", "pool//a.deb", "pool/a.udeb", "pool/a b.deb", "pool/a%2e.deb"})
    CHECK_FALSE(is_pool_path(path));
  CHECK_FALSE(is_pool_path("pool/" + std::string(400, 'a') + ".deb"));
}

TEST_CASE("Times, archives and plain names have their limits") {
  CHECK(is_archive_time(745'000'000));
  CHECK(is_archive_time(253'402'300'799));
  CHECK_FALSE(is_archive_time(744'999'999));
  CHECK_FALSE(is_archive_time(253'402'300'800));
  CHECK_FALSE(is_archive_time(-1));
  CHECK(is_archive("debian"));
  CHECK(is_archive("debian-security"));
  CHECK_FALSE(is_archive("ubuntu"));
  CHECK(is_plain_name("cloud-amd64"));
  for (const std::string& name : {std::string(), std::string("-a"), std::string("A"), std::string("a/b"),
                                  std::string("a.b"), std::string(41, 'a')})
    CHECK_FALSE(is_plain_name(name));
}
