// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys/keys.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/files.hpp"
#include "keys/check.hpp"
#include "support/catch.hpp"
#include "support/program.hpp"

namespace fs = std::filesystem;
using namespace mailstead;
using test::output_of;
using test::status_of;

namespace {

spec::DkimKey dkim(const fs::path& folder, const std::string& domain, spec::DkimAlgorithm algorithm) {
  const std::string selector = algorithm == spec::DkimAlgorithm::rsa2048 ? "s2026-rsa2048" : "s2026-ed25519";
  return {selector, algorithm, folder / "secrets/dkim" / domain / (selector + ".pem")};
}

spec::Site site_in(const fs::path& folder) {
  spec::Site site;
  site.folder = folder;
  site.file = folder / "mail.yaml";
  site.hostname = "mail.example.org";
  site.tls.certificate = folder / "secrets/tls/cert.pem";
  site.tls.private_key = folder / "secrets/tls/key.pem";
  site.updates.ssh = true;
  site.updates.private_key = folder / "secrets/updates/mail.example.org/id_ed25519";
  site.updates.public_key = folder / "secrets/updates/mail.example.org/id_ed25519.pub";
  spec::Domain domain;
  domain.name = domain.unicode = "example.org";
  domain.dkim = {dkim(folder, domain.name, spec::DkimAlgorithm::rsa2048),
                 dkim(folder, domain.name, spec::DkimAlgorithm::ed25519)};
  site.domains = {domain};
  return site;
}

unsigned mode_of(const fs::path& path) {
  struct stat status{};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

/// All names below a folder, temporary ones included.
std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (!entry.is_directory()) names.push_back(fs::relative(entry.path(), folder).string());
  std::sort(names.begin(), names.end());
  return names;
}

const std::vector<std::string> kAllFiles = {"secrets/.gitignore",
                                            "secrets/dkim/example.org/s2026-ed25519.pem",
                                            "secrets/dkim/example.org/s2026-rsa2048.pem",
                                            "secrets/tls/cert.pem",
                                            "secrets/tls/key.pem",
                                            "secrets/updates/mail.example.org/id_ed25519",
                                            "secrets/updates/mail.example.org/id_ed25519.pub"};

std::string text_of(const fs::path& path) {
  const auto text = read_file(path);
  REQUIRE(text);
  return *text;
}

std::string openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  return output_of(std::move(arguments));
}

TemporaryDirectory folder() {
  auto made = TemporaryDirectory::create();
  REQUIRE(made);
  return *std::move(made);
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

}  // namespace

TEST_CASE("the missing keys are made once, closed to others whatever the umask") {
  for (const mode_t mask : {0000, 0022, 0077, 0777}) {
    INFO("umask " << mask);
    const auto home = folder();
    const auto site = site_in(home.path());
    CHECK(keys::missing_keys(site).size() == 5);
    Result<std::vector<fs::path>> made = std::vector<fs::path>{};
    {
      const Umask umask(mask);
      made = keys::make_missing_keys(site);
    }
    INFO((made ? "" : format_error(made.error())));
    REQUIRE(made);
    CHECK(*made == std::vector<fs::path>{site.domains[0].dkim[0].private_key,
                                         site.domains[0].dkim[1].private_key, site.tls.private_key,
                                         site.tls.certificate, site.updates.private_key,
                                         site.updates.public_key});
    CHECK(files_below(home.path()) == kAllFiles);  // no temporary file stays
    for (const auto& path : *made) CHECK(mode_of(path) == 0600);
    for (const char* path : {"secrets", "secrets/dkim", "secrets/dkim/example.org", "secrets/tls",
                             "secrets/updates", "secrets/updates/mail.example.org"})
      CHECK(mode_of(home.path() / path) == 0700);
    CHECK(keys::missing_keys(site).empty());

    std::vector<std::string> before;
    for (const auto& path : *made) before.push_back(text_of(path));
    const auto again = keys::make_missing_keys(site);
    REQUIRE(again);
    CHECK(again->empty());
    for (std::size_t i = 0; i < made->size(); ++i) CHECK(text_of((*made)[i]) == before[i]);
  }
}

TEST_CASE("two sites get different keys") {
  const auto first = folder();
  const auto second = folder();
  REQUIRE(keys::make_missing_keys(site_in(first.path())));
  REQUIRE(keys::make_missing_keys(site_in(second.path())));
  for (const auto& file : kAllFiles) {
    // What keeps the folder out of git is the same everywhere.
    CHECK((text_of(first.path() / file) == text_of(second.path() / file)) == (file == "secrets/.gitignore"));
  }
}

TEST_CASE("whatever has a key's name stays as it is") {
  const auto home = folder();
  const auto site = site_in(home.path());
  const fs::path path = site.domains[0].dkim[0].private_key;
  fs::create_directories(path.parent_path());
  fs::permissions(path.parent_path(), fs::perms::owner_all);

  SECTION("a file, even an empty one") {
    std::ofstream(path).close();
    const auto made = keys::make_missing_keys(site);
    REQUIRE(made);
    CHECK(made->size() == 5);
    CHECK(text_of(path).empty());
  }
  SECTION("a symbolic link to a key elsewhere") {
    std::ofstream(home.path() / "elsewhere.pem") << "my own key";
    fs::create_symlink(home.path() / "elsewhere.pem", path);
    REQUIRE(keys::make_missing_keys(site));
    CHECK(fs::is_symlink(path));
    CHECK(text_of(home.path() / "elsewhere.pem") == "my own key");
  }
  SECTION("a symbolic link to nothing is missing, but no reason for a new key") {
    fs::create_symlink(home.path() / "unmounted/key.pem", path);
    CHECK(keys::missing_keys(site).front() == path);
    const auto made = keys::make_missing_keys(site);
    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::usage);
    CHECK(made.error().message == path.string() + " is a symbolic link to a file that cannot be reached");
    CHECK(fs::is_symlink(path));
    CHECK_FALSE(fs::exists(home.path() / "unmounted"));
  }
}

TEST_CASE("a folder that others may write to is refused") {
  const auto home = folder();
  const auto site = site_in(home.path());
  const fs::path parent = site.domains[0].dkim[0].private_key.parent_path();
  fs::create_directories(parent);
  REQUIRE(::chmod(parent.c_str(), 0777) == 0);
  const auto made = keys::make_missing_keys(site);
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::usage);
  CHECK(made.error().message == "other users can write to the folder " + parent.string() +
                                    " (mode 0777), so a key in it is not safe");
  CHECK(made.error().hint == "close it with `chmod 700 " + parent.string() + "`");
  CHECK(files_below(home.path()).empty());
}

TEST_CASE("a file in the place of a folder is an error") {
  const auto home = folder();
  std::ofstream(home.path() / "secrets") << "not a folder";
  const auto made = keys::make_missing_keys(site_in(home.path()));
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::io);
  CHECK(text_of(home.path() / "secrets") == "not a folder");
}

TEST_CASE("runs at the same time agree on one set of keys") {
  const auto home = folder();
  const auto site = site_in(home.path());
  std::vector<pid_t> runs;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(keys::make_missing_keys(site) ? 0 : 1);
    runs.push_back(child);
  }
  for (const pid_t child : runs) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(files_below(home.path()) == kAllFiles);
  // The certificate is for the key that won.
  CHECK(openssl({"x509", "-in", site.tls.certificate, "-noout", "-pubkey"}) ==
        openssl({"pkey", "-in", site.tls.private_key, "-pubout"}));
  // So is the public half of the key of updates.
  CHECK(text_of(site.updates.public_key) ==
        output_of({"ssh-keygen", "-y", "-f", site.updates.private_key.string()}));
}

TEST_CASE("the halves of the key of updates may be in different places") {
  const auto home = folder();
  const auto site = site_in(home.path());
  REQUIRE(keys::make_missing_keys(site));
  const std::string line = text_of(site.updates.public_key);
  CHECK(line.starts_with("ssh-ed25519 "));
  CHECK(line.ends_with(" updates of mail.example.org\n"));
  SECTION("the public one is made again") {
    fs::remove(site.updates.public_key);
    CHECK(keys::missing_keys(site) == std::vector<fs::path>{site.updates.public_key});
    const auto made = keys::make_missing_keys(site);
    REQUIRE(made);
    CHECK(*made == std::vector<fs::path>{site.updates.public_key});
    CHECK(text_of(site.updates.public_key) == line);
  }
  SECTION("the private one is kept by another person") {
    fs::remove(site.updates.private_key);
    CHECK(keys::missing_keys(site).empty());
    const auto made = keys::make_missing_keys(site);
    REQUIRE(made);
    CHECK(made->empty());
    CHECK(keys::check_keys(site, 0).errors.empty());
  }
  SECTION("halves of two keys are told apart") {
    std::ofstream(site.updates.public_key)
        << "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKr0C1TCRvDB8J0pqG1GpJAZKt7w4sQbU6t3XmZ3vQ2H x\n";
    const auto found = keys::check_keys(site, 0);
    REQUIRE(found.errors.size() == 1);
    CHECK(found.errors[0].message == site.updates.public_key.string() + " is not the public half of " +
                                         site.updates.private_key.string());
  }
  SECTION("a key that others may read is not used") {
    fs::permissions(site.updates.private_key, fs::perms::group_read, fs::perm_options::add);
    const auto found = keys::check_keys(site, 0);
    REQUIRE(found.errors.size() == 1);
    CHECK(found.errors[0].message.find("can be read by other users") != std::string::npos);
  }
}

TEST_CASE("given TLS files are not made, only missed") {
  const auto home = folder();
  auto site = site_in(home.path());
  site.tls = {spec::TlsMode::files, home.path() / "tls/chain.pem", home.path() / "tls/key.pem", {}, {}};
  const auto made = keys::make_missing_keys(site);
  REQUIRE(made);
  CHECK(made->size() == 4);
  CHECK(keys::missing_keys(site) == std::vector<fs::path>{site.tls.certificate, site.tls.private_key});
}

TEST_CASE("the self-signed certificate is one that OpenSSL accepts for the host name") {
  const auto home = folder();
  auto site = site_in(home.path());
  SECTION("usual host name") {}
  SECTION("longer than a common name may be") {
    site.hostname = std::string(60, 'm') + ".a-rather-long-domain.example.org";
  }
  REQUIRE(keys::make_missing_keys(site));
  const std::string certificate = site.tls.certificate.string();
  const std::string verified = openssl({"verify", "-CAfile", certificate, "-verify_hostname", site.hostname,
                                        "-purpose", "sslserver", certificate});
  CHECK(verified == certificate + ": OK\n");
  CHECK(status_of({"openssl", "verify", "-CAfile", certificate, "-verify_hostname", "example.org",
                   certificate}) != 0);

  const std::string text = openssl({"x509", "-in", certificate, "-noout", "-text"});
  INFO(text);
  for (const char* part :
       {"Version: 3", "Signature Algorithm: sha256WithRSAEncryption", "Public-Key: (2048 bit)", "CA:FALSE",
        "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment\n",
        "TLS Web Server Authentication"})
    CHECK(text.find(part) != std::string::npos);
  CHECK(text.find("DNS:" + site.hostname + "\n") != std::string::npos);
  CHECK(openssl({"x509", "-in", certificate, "-noout", "-serial"}).size() ==
        std::string("serial=\n").size() + 32);
  const auto ends_within = [&](int days) {
    return status_of({"openssl", "x509", "-in", certificate, "-noout", "-checkend",
                      std::to_string(days * 24 * 60 * 60)}) != 0;
  };
  CHECK_FALSE(ends_within(823));
  CHECK(ends_within(824));  // 825 days in all, one of them before now
}

TEST_CASE("a key of ECDSA gets a certificate without the use that only RSA has") {
  const auto home = folder();
  const auto site = site_in(home.path());
  REQUIRE(make_directories(site.tls.private_key.parent_path()));
  openssl({"genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
           site.tls.private_key.string()});
  fs::permissions(site.tls.private_key, fs::perms::owner_read | fs::perms::owner_write);
  REQUIRE(keys::make_missing_keys(site));
  const std::string text = openssl({"x509", "-in", site.tls.certificate.string(), "-noout", "-text"});
  INFO(text);
  CHECK(text.find("ecdsa-with-SHA256") != std::string::npos);
  CHECK(text.find("Key Encipherment") == std::string::npos);
}

TEST_CASE("a removed certificate is made again for the same key") {
  const auto home = folder();
  const auto site = site_in(home.path());
  REQUIRE(keys::make_missing_keys(site));
  const std::string key = text_of(site.tls.private_key);
  const std::string certificate = text_of(site.tls.certificate);
  fs::remove(site.tls.certificate);
  const auto made = keys::make_missing_keys(site);
  REQUIRE(made);
  CHECK(*made == std::vector<fs::path>{site.tls.certificate});
  CHECK(text_of(site.tls.private_key) == key);
  CHECK(text_of(site.tls.certificate) != certificate);
  CHECK(openssl({"x509", "-in", site.tls.certificate, "-noout", "-pubkey"}) ==
        openssl({"pkey", "-in", site.tls.private_key, "-pubout"}));
}

TEST_CASE("a certificate whose key is gone is not paired with a new key") {
  const auto home = folder();
  const auto site = site_in(home.path());
  REQUIRE(keys::make_missing_keys(site));
  fs::remove(site.tls.private_key);
  const auto made = keys::make_missing_keys(site);
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::usage);
  CHECK(made.error().message == "there is a certificate " + site.tls.certificate.string() + ", but its key " +
                                    site.tls.private_key.string() + " is missing");
  CHECK_FALSE(fs::exists(site.tls.private_key));
}
