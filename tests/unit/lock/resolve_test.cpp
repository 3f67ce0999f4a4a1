// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/resolve.hpp"

#include <algorithm>

#include "archive_fixture.hpp"
#include "lock/apt.hpp"
#include "lock/lock_file.hpp"
#include "support/loopback_server.hpp"
#include "text/base64.hpp"

namespace mailstead::lock {
namespace {

using mailstead::test::answer_with;
using mailstead::test::HttpAnswer;
using mailstead::test::HttpRequest;
using mailstead::test::LoopbackServer;
using test::Archive;

const std::vector<test::Stanza> kPackages = {
    {"dash", "0.5", "Essential: yes\n"},
    {"libc6", "2.41-1", ""},
    {"libextra", "1:2.0~rc1+b1", "Depends: libc6\n"},
    {"mailer", "3.0", "Depends: libextra (>= 1:2.0~), data\nRecommends: suggested\nProvides: mta\n"},
    {"data", "7", "", "all"},
    {"suggested", "1", ""},
    {"early", "1", "Depends: libc6\n"},
    {"writer", "4.6", "Depends: libc6\n"},
    {"writer", "4.6", "", "arm64"},
    {"broken", "1", "Depends: nowhere (>= 2)\n"},
    {"mailer-x", "1", "Conflicts: mailer\n"},
};

Request make_request() {
  Request request;
  request.suite = "trixie";
  request.architecture = "amd64";
  request.host_architecture = "amd64";
  request.system = {"mailer"};
  request.initrd = {"early"};
  request.tools = {"writer"};
  request.users = {{"root", 0}, {"postfix", 900}};
  request.groups = {{"root", 0}};
  return request;
}

/// Keeps what it is told.
class NotingReporter : public Reporter {
 public:
  void warning(std::string_view text) override { warnings.emplace_back(text); }
  void info(std::string_view) override {}
  std::vector<std::string> warnings;

 protected:
  void on_start(const Progress&) override {}
  void on_advance(const Progress&) override {}
  void on_end(const Progress&) override {}
};

Result<Lock> resolve_from(const Archive& archive, const Request& request, const Mirrors& mirrors) {
  const auto reporter = make_quiet_reporter();
  return resolve(request, mirrors, archive.cache(), *reporter, {test::archive_key().keyring(), {}});
}

Result<Lock> resolve_from(const Archive& archive, const Request& request) {
  return resolve_from(archive, request, archive.mirrors());
}

std::string text_of(const Error& error) {
  return format_error(error);
}

std::vector<std::string> summary(const Lock& lock) {
  std::vector<std::string> lines;
  for (const auto& p : lock.packages) {
    lines.push_back(p.name + " " + p.version + " " + p.architecture + (p.roles.system ? " S" : "") +
                    (p.roles.initrd ? " I" : "") + (p.roles.tool ? " T" : "") + (p.roles.boot ? " B" : ""));
  }
  return lines;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a request becomes a lock: dependencies and Essential packages, no recommendations") {
  Archive archive;
  archive.publish("trixie", kPackages);
  const auto lock = resolve_from(archive, make_request());
  if (!lock) FAIL(text_of(lock.error()));
  CHECK(summary(*lock) == std::vector<std::string>{"dash 0.5 amd64 S", "data 7 all S", "early 1 amd64 I",
                                                   "libc6 2.41-1 amd64 S I T",
                                                   "libextra 1:2.0~rc1+b1 amd64 S", "mailer 3.0 amd64 S",
                                                   "writer 4.6 amd64 T"});
  const auto& extra = lock->packages[4];
  CHECK(extra.pool_path == "pool/main/l/libextra/libextra_2.0~rc1+b1_amd64.deb");
  CHECK(extra.size == 1234);
  CHECK(extra.sha256 == crypto::sha256_hex("libextra1:2.0~rc1+b1amd64"));
  CHECK(extra.archive == "debian");
  CHECK(lock->users.front().name == "postfix");
  CHECK(lock->request_digest == request_digest(make_request()));

  SECTION("and the same again, byte for byte") {
    const auto again = resolve_from(archive, make_request());
    REQUIRE(again);
    CHECK(format_lock(*again) == format_lock(*lock));
  }
}

TEST_CASE("of what starts the machine only the packages that were asked for are locked") {
  Archive archive;
  auto packages = kPackages;
  packages.push_back({"loader", "2.12", "Depends: extra-tool, libc6\n"});
  packages.push_back({"extra-tool", "1", ""});
  archive.publish("trixie", packages);
  Request request = make_request();
  request.boot = {"loader"};
  const auto lock = resolve_from(archive, request);
  if (!lock) FAIL(text_of(lock.error()));
  const auto lines = summary(*lock);
  CHECK(std::find(lines.begin(), lines.end(), "loader 2.12 amd64 B") != lines.end());
  CHECK(std::find(lines.begin(), lines.end(), "libc6 2.41-1 amd64 S I T") != lines.end());
  CHECK(lines.size() == 8);
  CHECK(lock->requested_boot == request.boot);
}

TEST_CASE("the newest version of the suite, its updates and its security suite is taken") {
  Archive archive;
  archive.publish("trixie", kPackages);
  archive.publish("trixie-updates", {{"libc6", "2.41-1+deb13u1", ""}});
  archive.publish("trixie-security", {{"libextra", "1:2.0+deb13u1", ""}});
  const auto lock = resolve_from(archive, make_request());
  if (!lock) FAIL(text_of(lock.error()));
  const auto find = [&](const std::string& name) {
    return *std::find_if(lock->packages.begin(), lock->packages.end(),
                         [&](const auto& p) { return p.name == name; });
  };
  CHECK(find("libc6").version == "2.41-1+deb13u1");
  CHECK(find("libc6").archive == "debian");
  CHECK(find("libextra").version == "1:2.0+deb13u1");
  CHECK(find("libextra").archive == "debian-security");
}

TEST_CASE("the archive's time is the newest Date of its Release files") {
  Archive archive;
  Archive::Signing old;
  old.made_ago = std::chrono::hours(48);
  archive.publish("trixie", kPackages, old);
  archive.publish("trixie-updates", {}, old);
  Archive::Signing recent;
  recent.made_ago = std::chrono::hours(5);
  archive.publish("trixie-security", {}, recent);
  const auto lock = resolve_from(archive, make_request());
  REQUIRE(lock);
  const std::int64_t expected = std::time(nullptr) - 5 * 3600;
  CHECK(lock->archive_time <= expected);
  CHECK(lock->archive_time > expected - 120);
}

TEST_CASE("tools are for the architecture of the build host") {
  Archive archive;
  archive.publish("trixie", kPackages);
  auto request = make_request();
  request.host_architecture = "arm64";
  const auto lock = resolve_from(archive, request);
  if (!lock) FAIL(text_of(lock.error()));
  const auto lines = summary(*lock);
  CHECK(std::find(lines.begin(), lines.end(), "writer 4.6 arm64 T") != lines.end());
  CHECK(std::find(lines.begin(), lines.end(), "libc6 2.41-1 amd64 S I") != lines.end());
}

TEST_CASE("an archive that cannot be trusted is refused, with what to do") {
  Archive archive;
  archive.publish("trixie", kPackages);
  REQUIRE(resolve_from(archive, make_request()));  // good before, so that earlier indexes lie in the cache
  std::string expected;
  Archive::Signing signing;
  SECTION("not signed") {
    signing.key = nullptr;
    archive.publish("trixie", kPackages, signing);
    expected = "the index of the archive is not signed";
  }
  SECTION("signed by somebody else") {
    signing.key = &test::stranger_key();
    archive.publish("trixie", kPackages, signing);
    expected = "is not signed by a key of the keyring";
  }
  SECTION("expired") {
    signing.made_ago = std::chrono::hours(30);
    signing.valid_for = std::chrono::hours(-2);
    archive.publish("trixie-security", {}, signing);
    expected = "has expired";
  }
  SECTION("from the future") {
    signing.made_ago = std::chrono::hours(-48);
    archive.publish("trixie", kPackages, signing);
    expected = "is from the future";
  }
  SECTION("index altered after signing") {
    const auto index = archive.suite_folder("trixie") / "main/binary-amd64/Packages";
    auto stanzas = kPackages;
    stanzas.push_back({"another", "1", ""});
    archive.publish("trixie", stanzas);
    auto text = *read_file(index);
    const auto at = text.find("SHA256: ") + 8;
    text[at] = text[at] == '0' ? '1' : '0';
    Archive::write(index, text);
    expected = "is not what its signature says";
  }
  SECTION("Release altered after signing") {
    const auto file = archive.suite_folder("trixie") / "InRelease";
    auto text = *read_file(file);
    text.replace(text.find("Label: Test"), 11, "Label: Tess");
    Archive::write(file, text);
    expected = "is not signed by a key of the keyring";
  }
  SECTION("another suite's validly signed index") {
    signing.codename = "bookworm";
    archive.publish("trixie-security", {}, signing);
    expected = "with an index of another one";
  }
  const auto lock = resolve_from(archive, make_request());
  REQUIRE(!lock);
  INFO(text_of(lock.error()));
  CHECK(lock.error().kind == ErrorKind::integrity);
  CHECK(contains(lock.error().message, expected));
  CHECK(!lock.error().hint.empty());
}

TEST_CASE("an untrusted archive is refused without an earlier good one, too") {
  Archive archive;
  Archive::Signing signing;
  SECTION("not signed") {
    signing.key = nullptr;
  }
  SECTION("signed by somebody else") {
    signing.key = &test::stranger_key();
  }
  archive.publish("trixie", kPackages, signing);
  const auto lock = resolve_from(archive, make_request());
  REQUIRE(!lock);
  INFO(text_of(lock.error()));
  CHECK(lock.error().kind == ErrorKind::integrity);
}

TEST_CASE("what the archive cannot give is named") {
  Archive archive;
  archive.publish("trixie", kPackages);
  auto request = make_request();
  SECTION("unknown packages, all of them") {
    request.system = {"mailer", "nosuch", "mailer", "neither"};
    const auto lock = resolve_from(archive, request);
    REQUIRE(!lock);
    CHECK(lock.error().message == "the archive has no package of the name nosuch and neither");
    CHECK(lock.error().kind == ErrorKind::usage);
  }
  SECTION("dependencies that cannot be met") {
    request.system = {"broken"};
    const auto lock = resolve_from(archive, request);
    REQUIRE(!lock);
    const auto text = text_of(lock.error());
    INFO(text);
    CHECK(contains(text, "cannot be installed together"));
    CHECK(contains(text, "nowhere (>= 2)"));
  }
  SECTION("two that exclude each other") {
    request.system = {"mailer", "mailer-x"};
    const auto lock = resolve_from(archive, request);
    REQUIRE(!lock);
    INFO(text_of(lock.error()));
    CHECK(contains(text_of(lock.error()), "cannot be installed together"));
  }
  SECTION("a virtual name") {
    request.system = {"mta"};
    const auto lock = resolve_from(archive, request);
    REQUIRE(!lock);
    CHECK(contains(lock.error().message, "no package of the name mta"));
  }
  SECTION("names that apt would read as orders or patterns") {
    for (const std::string name : {"suggested-", "ear.y", "data+"}) {
      request.system = {"mailer", name};
      const auto lock = resolve_from(archive, request);
      REQUIRE(!lock);
      INFO(text_of(lock.error()));
      CHECK(contains(lock.error().message, name));
    }
  }
  SECTION("names that are none") {
    for (const std::string name : {"", "-o", "?essential", "mailer=1", "a b", "mailer/sid", "mailer:arm64"}) {
      request.system = {name};
      const auto lock = resolve_from(archive, request);
      REQUIRE(!lock);
      CHECK(lock.error().message == "'" + name + "' cannot be a package name");
    }
  }
}

TEST_CASE("a mirror that cannot be reached is followed by the next one") {
  Archive archive;
  archive.publish("trixie", kPackages);
  auto mirrors = archive.mirrors();
  const Address broken = mirrors.debian[0].exact() + "-gone";
  mirrors.debian.insert(mirrors.debian.begin(), broken);
  CHECK(resolve_from(archive, make_request(), mirrors));
  mirrors.debian = {broken};
  const auto lock = resolve_from(archive, make_request(), mirrors);
  REQUIRE(!lock);
  INFO(text_of(lock.error()));
  CHECK(lock.error().kind == ErrorKind::network);
  CHECK(contains(text_of(lock.error()), "--mirror"));
}

/// The file below the archive's folder that is asked for.
HttpAnswer serve(const Archive& archive, const HttpRequest& request) {
  HttpAnswer answer;
  const std::string debian = archive.mirrors().debian[0].exact().substr(7);
  const std::filesystem::path root = std::filesystem::path(debian).parent_path();
  if (const auto text = read_file(root.string() + request.path))
    answer.body = *text;
  else
    answer.status = 404;
  return answer;
}

TEST_CASE("a mirror that refuses its index is named with the reason, and the next one is asked") {
  struct Refusal {
    HttpAnswer answer;
    std::string reason;
  };
  HttpAnswer page;
  page.body = "<html>please log in</html>";
  page.type = "text/html";
  const auto refusal =
      GENERATE_COPY(Refusal{answer_with(401), "the server requires a user and a password"},
                    Refusal{answer_with(403), "the server refuses"},
                    Refusal{answer_with(407), "the proxy requires a user and a password"},
                    Refusal{answer_with(429), "the server is in trouble"},
                    Refusal{answer_with(503), "the server is in trouble"},
                    Refusal{answer_with(404), "the mirror cannot be reached, or does not have this suite"},
                    Refusal{page, "the server answers with something else than the index of an archive"},
                    Refusal{answer_with(302, "/debian/loop"), "the server redirects in a loop"});
  Archive archive;
  archive.publish("trixie", kPackages);
  LoopbackServer server([&](const auto&) { return refusal.answer; });
  const std::string shown = server.address();
  const Address address = "http://user:secret@" + shown.substr(7);
  auto mirrors = archive.mirrors();
  mirrors.debian.insert(mirrors.debian.begin(), address);
  NotingReporter reporter;
  ResolveOptions options{test::archive_key().keyring(), {}};
  options.transport = Transport({{"acquire::retries", "0"}}, {});
  const auto lock = resolve(make_request(), mirrors, archive.cache(), reporter, options);
  if (!lock) FAIL(text_of(lock.error()));
  REQUIRE(reporter.warnings.size() == 1);
  INFO(reporter.warnings[0]);
  CHECK(contains(reporter.warnings[0], refusal.reason));
  CHECK(contains(reporter.warnings[0], shown));
  CHECK(contains(reporter.warnings[0], "; trying the next mirror"));
  CHECK(!contains(reporter.warnings[0], "secret"));

  const auto none = resolve(make_request(), {{address, "file:///nowhere"}, archive.mirrors().security},
                            archive.cache(), reporter, options);
  REQUIRE(!none);
  const std::string text = text_of(none.error());
  INFO(text);
  CHECK(none.error().kind == ErrorKind::network);
  CHECK(contains(text, refusal.reason));
  CHECK(contains(text, shown));
  CHECK(contains(text, "file:///nowhere"));
  CHECK(!contains(text, "secret"));
}

TEST_CASE("of two kinds of mirrors the one that has failed moves on") {
  Archive archive;
  archive.publish("trixie", kPackages);
  LoopbackServer server([](const auto&) { return answer_with(401); });
  auto mirrors = archive.mirrors();
  SECTION("security updates") {
    mirrors.security.insert(mirrors.security.begin(), server.address());
  }
  SECTION("crosswise") {
    mirrors.debian.insert(mirrors.debian.begin(), server.address());
    mirrors.security.push_back(server.address());
  }
  CHECK(resolve_from(archive, make_request(), mirrors));
}

TEST_CASE("every mirror's reason is told when none gives an index") {
  Archive archive;
  archive.publish("trixie", kPackages);
  LoopbackServer first([](const auto&) { return answer_with(401); });
  LoopbackServer second([](const auto&) { return answer_with(403); });
  const auto lock = resolve_from(archive, make_request(),
                                 {{first.address(), second.address()}, archive.mirrors().security});
  REQUIRE(!lock);
  CHECK(lock.error().message == "no mirror gives an index of the archive that can be used");
  REQUIRE(lock.error().notes.size() == 2);
  CHECK(contains(lock.error().notes[0], "requires a user and a password (trixie from " + first.address()));
  CHECK(contains(lock.error().notes[1], "refuses (trixie from " + second.address()));
}

TEST_CASE(
    "the archive is asked with the login and by the proxy of this machine's APT, and nothing else of it") {
  Archive archive;
  archive.publish("trixie", kPackages);
  const std::string login = "Authorization: Basic " + text::to_base64("user:se/cr@et");
  LoopbackServer server([&](const HttpRequest& request) {
    if (!contains(request.head, login)) return answer_with(401);
    HttpRequest plain = request;
    plain.path = plain.path.substr(plain.path.find("/debian"));
    return serve(archive, plain);
  });
  ResolveOptions options{test::archive_key().keyring(), {}};
  Mirrors mirrors{{server.address()}, {server.address() + "-security"}};
  const auto folder = TemporaryDirectory::create().value();
  const std::filesystem::path mark = folder.path() / "ran";
  SECTION("in the address") {
    const std::string with_login = "http://user:se%2Fcr%40et@" + server.address().substr(7);
    mirrors = {{with_login}, {with_login + "-security"}};
  }
  SECTION("in auth.conf") {
    options.transport.auth_file = folder.path() / "auth.conf";
    REQUIRE(write_file(options.transport.auth_file,
                       "machine " + server.root() + " login user password se/cr@et\n", 0600));
  }
  SECTION("by a proxy") {
    const std::string far = "http://user:se%2Fcr%40et@mirror.invalid/debian";
    mirrors = {{far}, {far + "-security"}};
    options.transport = Transport(
        {{"acquire::http::proxy", server.root()}, {"apt::update::pre-invoke::", "touch " + mark.string()}},
        {});
  }
  const auto reporter = make_quiet_reporter();
  const auto lock = resolve(make_request(), mirrors, archive.cache(), *reporter, options);
  if (!lock) FAIL(text_of(lock.error()));
  CHECK(lock->packages.size() == 7);
  CHECK(!std::filesystem::exists(mark));
  // What has a password is not for others to read.
  for (const auto& entry : std::filesystem::recursive_directory_iterator(archive.cache())) {
    if (!entry.is_regular_file()) continue;
    INFO(entry.path());
    const auto text = read_file(entry.path()).value();
    const auto others = entry.status().permissions() & std::filesystem::perms(0077);
    CHECK((!contains(text, "se%2Fcr") || others == std::filesystem::perms::none));
    CHECK(!contains(entry.path().string(), "se%2"));
  }
}

TEST_CASE("a missing keyring is named with its package") {
  Archive archive;
  const auto reporter = make_quiet_reporter();
  const auto lock = resolve(make_request(), archive.mirrors(), archive.cache(), *reporter,
                            {"/nonexistent/keyring.gpg", {}});
  REQUIRE(!lock);
  CHECK(lock.error().hint == "install the package debian-archive-keyring");
}

TEST_CASE("an index entry from the archive must obey the rules of a lock") {
  Archive archive;
  archive.publish("trixie", {{"dash", "0.5", "Essential: yes\n"},
                             {"mailer", "3.0", "Filename: pool/../../../etc/shadow.deb\n"},
                             {"early", "1", ""},
                             {"writer", "1", ""}});
  // The first Filename field of a stanza is the hostile one here; the fixture's own follows, so drop that.
  const auto index = archive.suite_folder("trixie") / "main/binary-amd64/Packages";
  auto text = *read_file(index);
  const std::string own = "Filename: pool/main/m/mailer/mailer_3.0_amd64.deb\n";
  text.erase(text.find(own), own.size());
  const auto release_file = archive.suite_folder("trixie") / "Release";
  auto release = *read_file(release_file);
  const auto line = release.find("main/binary-amd64/Packages");
  const auto start = release.rfind('\n', line) + 1;
  release.replace(start, line - start, fmt::format(" {} {} ", crypto::sha256_hex(text), text.size()));
  Archive::write(index, text);
  Archive::write(release_file, release);
  test::archive_key().clear_sign(release_file, archive.suite_folder("trixie") / "InRelease");
  const auto lock = resolve_from(archive, make_request());
  REQUIRE(!lock);
  INFO(text_of(lock.error()));
  CHECK(contains(lock.error().message, "path is not a .deb file below pool/"));
}

TEST_CASE("what apt prints is read, or refused") {
  const auto packages = parse_print_uris(
      "Reading…\n'http://m.example/debian/pool/main/g/g%2b%2b/g%2b%2b_12_amd64.deb' "
      "g++_4%3a12.2.0-3_amd64.deb 10 SHA256:ab\n");
  REQUIRE(packages);
  REQUIRE(packages->size() == 1);
  CHECK(packages->front() == Identity{"g++", "4:12.2.0-3", "amd64"});
  CHECK(!parse_print_uris(""));
  CHECK(!parse_print_uris("'http://m.example/x' x\n"));
  CHECK(!parse_print_uris("'http://m.example/x\n"));
  CHECK(!parse_print_uris("'u' x_amd64.deb 1\n"));
}

}  // namespace
}  // namespace mailstead::lock
