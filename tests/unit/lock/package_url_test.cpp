// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/package_url.hpp"

#include "support/catch.hpp"

using mailstead::lock::package_url;

TEST_CASE("Package URLs encode what is not plain, but no colon") {
  CHECK(package_url("libstdc++6", "14.2.0-19", "amd64", "trixie") ==
        "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=trixie");
  CHECK(package_url("acpid", "1:2.0~rc1+b1", "all", "trixie") ==
        "pkg:deb/debian/acpid@1:2.0~rc1%2Bb1?arch=all&distro=trixie");
  CHECK(package_url("a/b?c", "1 #", "amd64", "x&y") ==
        "pkg:deb/debian/a%2Fb%3Fc@1%20%23?arch=amd64&distro=x%26y");
}
