// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/scripts.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::rootfs;

namespace {

ControlData package(std::string name, std::string version, std::map<std::string, std::string> files) {
  ControlData control;
  control.name = std::move(name);
  control.version = std::move(version);
  control.architecture = "amd64";
  control.files = std::move(files);
  return control;
}

}  // namespace

TEST_CASE("A package without scripts that would run has no digest") {
  CHECK(script_digest(package("a", "1", {})).empty());
  CHECK(script_digest(
            package("a", "1",
                    {{"prerm", "x"}, {"postrm", "y"}, {"config", "z"}, {"templates", "t"}, {"md5sums", "m"}}))
            .empty());
  CHECK(
      script_digest(package("a", "1", {{"triggers", "# interest x\nactivate-noawait ldconfig\n"}})).empty());
}

TEST_CASE("What would run counts") {
  const auto base = script_digest(package("a", "1", {{"postinst", "one\n"}}));
  CHECK(base.size() == 16);
  CHECK(base.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(script_digest(package("a", "1", {{"postinst", "two\n"}})) != base);
  CHECK(script_digest(package("a", "1", {{"preinst", "one\n"}})) != base);
  CHECK(script_digest(
            package("a", "1", {{"postinst", "one\n"}, {"triggers", "interest-noawait /usr/lib\n"}})) != base);
  CHECK(script_digest(package(
            "a", "1", {{"postinst", "one\n"}, {"triggers", "activate x\n"}, {"postrm", "p"}})) == base);
  CHECK_FALSE(script_digest(package("a", "1", {{"triggers", "interest /usr/lib\n"}})).empty());
  CHECK(script_digest(package("a", "1", {{"triggers", " interest\t/usr/lib # why\n"}})) ==
        script_digest(package("a", "1", {{"triggers", "interest /usr/lib\n"}})));
  // The border between two scripts counts.
  CHECK(script_digest(package("a", "1", {{"preinst", "x\ny\n"}, {"postinst", "z\n"}})) !=
        script_digest(package("a", "1", {{"preinst", "x\n"}, {"postinst", "y\nz\n"}})));
}

TEST_CASE("Unchanged scripts keep their digest over versions") {
  const auto at = [](const std::string& version, const std::string& text) {
    return script_digest(package("a", version, {{"postinst", text}}));
  };
  CHECK(at("1:2.3-4", "v='1:2.3-4'\n") == at("1:2.3-5", "v='1:2.3-5'\n"));
  CHECK(at("1:2.3-4", "v=2.3-4\n") == at("1:2.3-5", "v=2.3-5\n"));
  CHECK(at("2.3", "x 2.3 y") == at("2.4", "x 2.4 y"));
  // Only whole words: another version that holds this one is another version.
  CHECK(at("2.3", "dpkg --compare-versions 12.3\n") != at("2.4", "dpkg --compare-versions 12.4\n"));
  CHECK(at("2.3", "lt 2.3-1~\n") != at("2.4", "lt 2.4-1~\n"));
  CHECK(at("2.3", "rm -r /a\n") != at("2.3", "rm -r /b\n"));
  CHECK(
      at("1", "# Automatically added by dh_installsystemd/13.20\nx\n# End automatically added section\n") ==
      at("1", "# Automatically added by dh_installsystemd/13.24.2\nx\n# End automatically added section\n"));
  const auto kernel = [](const std::string& release, const std::string& version) {
    return script_digest(
        package("linux-image-" + release, version,
                {{"postinst", "linux-update-symlinks " + release + " /boot/vmlinuz-" + release + "\n"}}));
  };
  CHECK(kernel("6.12.48+deb13-cloud-amd64", "6.12.48-1") == kernel("6.12.57+deb13-cloud-amd64", "6.12.57-1"));
  const auto newest_kernel = [](const std::string& upstream, const std::string& command) {
    return script_digest(
        package("linux-image-cloud-amd64", upstream + "-1",
                {{"postinst", command + " linux-image-" + upstream + R"(\+deb13-cloud-amd64)" + "\n"}}));
  };
  CHECK(newest_kernel("6.12.117", "link") == newest_kernel("6.12.118", "link"));
  CHECK(newest_kernel("6.12.117", "link") != newest_kernel("6.12.118", "unlink"));
}

TEST_CASE("Reviews let packages pass, and all that lack one are named") {
  const auto reviewed = package("alpha", "1.0", {{"postinst", "a\n"}});
  const auto kernel = package("linux-image-6.1-cloud-amd64", "6.1", {{"postinst", "k\n"}});
  const auto quiet = package("quiet", "1.0", {});
  std::vector<overlay::Review> reviews = {
      {.package = "alpha", .digests = {"0000000000000000", script_digest(reviewed)}, .does = "x", .met = "y"},
      {.package = "linux-image-*-cloud-amd64", .digests = {script_digest(kernel)}, .does = "x", .met = "y"}};
  CHECK(check_reviews({reviewed, kernel, quiet}, reviews));

  std::string script = "#!/bin/sh\n";
  for (int i = 2; i <= 50; ++i) script += "line " + std::to_string(i) + "\n";
  const auto unknown =
      package("beta", "2.0-1", {{"postinst", script}, {"triggers", "interest-noawait /usr/lib/x\n"}});
  const auto changed = package("alpha", "1.1", {{"postinst", "b\x1b[2J\n"}});
  const auto status = check_reviews({changed, unknown, quiet}, reviews);
  REQUIRE_FALSE(status);
  CHECK(status.error().kind == ErrorKind::integrity);
  const std::string text = format_error(status.error());
  INFO(text);
  CHECK(text.find("the maintainer scripts of alpha 1.1 (" + script_digest(changed) +
                  ") are not those that were reviewed") != std::string::npos);
  CHECK(text.find("the maintainer scripts of beta 2.0-1 (" + script_digest(unknown) +
                  ") have not been reviewed") != std::string::npos);
  CHECK(text.find("maintainer-scripts.yaml") != std::string::npos);
  CHECK(text.find("| line 40") != std::string::npos);
  CHECK(text.find("| line 41") == std::string::npos);
  CHECK(text.find("… 10 more lines") != std::string::npos);
  CHECK(text.find("| interest-noawait /usr/lib/x") != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
}
