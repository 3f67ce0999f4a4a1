// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys/check.hpp"

#include <ctime>

#include "base/files.hpp"
#include "keys/keys.hpp"
#include "support/catch.hpp"
#include "support/program.hpp"

namespace fs = std::filesystem;
using namespace mailstead;
using test::output_of;

namespace {

constexpr std::int64_t kDay = 24 * 60 * 60;

/// A folder with certificates from an authority of its own, made by the openssl program, and a site that uses
/// them.
class Given {
 public:
  Given() : folder_(make_folder()) {
    site.folder = folder();
    site.file = folder() / "mail.yaml";
    site.hostname = "mail.example.org";
    site.tls.mode = spec::TlsMode::files;
    site.tls.certificate = folder() / "chain.pem";
    site.tls.private_key = folder() / "key.pem";
    site.tls.certificate_place =
        Place{"mail.yaml", 4, 33, 9, "tls: {mode: files, certificate: chain.pem, key: key.pem}"};
    site.tls.private_key_place =
        Place{"mail.yaml", 4, 49, 7, "tls: {mode: files, certificate: chain.pem, key: key.pem}"};
    self_signed("ca", {"-subj", "/CN=Our Authority", "-days", "4000"});
  }

  const fs::path& folder() const { return folder_.path(); }

  void self_signed(const std::string& name, std::vector<std::string> options,
                   const std::string& algorithm = "ec:prime256v1") {
    std::vector<std::string> argv = {"openssl", "req", "-x509", "-noenc", "-newkey"};
    if (algorithm == "ec:prime256v1") {
      argv.insert(argv.end(), {"ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"});
    } else {
      argv.push_back(algorithm);
    }
    argv.insert(argv.end(), {"-keyout", path(name + "-key.pem"), "-out", path(name + ".pem")});
    argv.insert(argv.end(), options.begin(), options.end());
    output_of(argv);
  }

  /// `name`.pem and `name`-key.pem, issued by the authority.
  void issue(const std::string& name, const std::string& extension, const std::string& days = "90") {
    output_of({"openssl",  "req",
               "-x509",    "-noenc",
               "-newkey",  "ec",
               "-pkeyopt", "ec_paramgen_curve:prime256v1",
               "-subj",    "/CN=mail.example.org",
               "-CA",      path("ca.pem"),
               "-CAkey",   path("ca-key.pem"),
               "-addext",  extension,
               "-addext",  "basicConstraints=critical,CA:FALSE",
               "-days",    days,
               "-keyout",  path(name + "-key.pem"),
               "-out",     path(name + ".pem")});
  }

  /// Puts certificates together as the site's chain, with the key of the first one.
  void use(const std::vector<std::string>& names, unsigned mode = 0600) {
    std::string chain;
    for (const std::string& name : names) chain += text(name + ".pem");
    put("chain.pem", chain);
    put("key.pem", text(names.front() + "-key.pem"), mode);
  }

  std::string text(const std::string& name) const {
    const auto read = read_file(folder() / name);
    REQUIRE(read);
    return *read;
  }
  void put(const std::string& name, const std::string& bytes, unsigned mode = 0600) {
    REQUIRE(write_file(folder() / name, bytes, mode));
  }

  keys::Findings findings(std::int64_t from_now = 0) const {
    return keys::check_keys(site, std::time(nullptr) + from_now);
  }

  /// The texts, with DIR for the folder.
  std::string shown(const std::vector<Error>& errors) const {
    std::string out;
    for (const Error& error : errors) {
      CHECK(error.kind == ErrorKind::usage);
      out += format_error(error);
    }
    for (std::size_t at; (at = out.find(folder().string())) != std::string::npos;)
      out.replace(at, folder().string().size(), "DIR");
    return out;
  }

  spec::Site site;

 private:
  static TemporaryDirectory make_folder() {
    auto made = TemporaryDirectory::create();
    REQUIRE(made);
    return *std::move(made);
  }
  std::string path(const std::string& name) const { return (folder() / name).string(); }
  TemporaryDirectory folder_;
};

std::string at_certificate(const std::string& message, const std::string& hint) {
  return "mail.yaml:4:33: " + message +
         "\n    4 | tls: {mode: files, certificate: chain.pem, key: key.pem}\n"
         "      |                                 ^~~~~~~~~\n  " +
         hint + "\n";
}

std::string at_key(const std::string& message, const std::string& hint) {
  return "mail.yaml:4:49: " + message +
         "\n    4 | tls: {mode: files, certificate: chain.pem, key: key.pem}\n"
         "      |                                                 ^~~~~~~\n  " +
         hint + "\n";
}

std::string day_of(std::int64_t from_now) {
  const std::time_t at = std::time(nullptr) + from_now;
  std::tm fields{};
  ::gmtime_r(&at, &fields);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &fields);
  return text;
}

constexpr const char* kGoodName = "subjectAltName=DNS:mail.example.org";

}  // namespace

TEST_CASE("a certificate for the host with its issuer's and its key passes") {
  Given given;
  std::string name;
  SECTION("its own name") {
    name = kGoodName;
  }
  SECTION("a wildcard") {
    name = "subjectAltName=DNS:*.example.org";
  }
  given.issue("leaf", name);
  given.use({"leaf", "ca"}, 0640);  // a group of the user's may read the key
  const auto findings = given.findings();
  CHECK(given.shown(findings.errors).empty());
  CHECK(given.shown(findings.untimely).empty());
  CHECK(given.shown(findings.warnings).empty());
}

TEST_CASE("a certificate for another name is refused") {
  Given given;
  const std::string hint = "get one that has the host name as alternative name, or correct 'hostname'";
  SECTION("alternative names") {
    given.issue("leaf", "subjectAltName=DNS:www.example.org,DNS:example.org");
    given.use({"leaf", "ca"});
    CHECK(given.shown(given.findings().errors) ==
          at_certificate("the certificate DIR/chain.pem is for www.example.org, example.org, not for "
                         "mail.example.org",
                         hint));
  }
  SECTION("the common name does not count") {
    given.issue("leaf", "keyUsage=digitalSignature");
    given.use({"leaf", "ca"});
    CHECK(given.shown(given.findings().errors) ==
          at_certificate("the certificate DIR/chain.pem has no alternative name, so it is not for "
                         "mail.example.org",
                         hint));
  }
}

TEST_CASE("a key of another certificate is refused") {
  Given given;
  given.issue("leaf", kGoodName);
  given.use({"leaf", "ca"});
  SECTION("a stranger's") {
    given.self_signed("other", {"-subj", "/CN=other"});
    given.put("key.pem", given.text("other-key.pem"));
    CHECK(given.shown(given.findings().errors) ==
          at_key("the private key DIR/key.pem does not belong to the certificate DIR/chain.pem",
                 "name the key that the certificate was made for"));
  }
  SECTION("the chain begins at the wrong end") {
    given.use({"ca", "leaf"});
    given.put("key.pem", given.text("leaf-key.pem"));
    CHECK(given.shown(given.findings().errors)
              .ends_with(at_certificate("the server's own certificate is number 2 in DIR/chain.pem",
                                        "put it first, and after each certificate that of its issuer")));
  }
}

TEST_CASE("a key that others may read is refused") {
  Given given;
  given.issue("leaf", kGoodName);
  given.use({"leaf", "ca"}, 0604);
  CHECK(given.shown(given.findings().errors) ==
        at_key("the private key DIR/key.pem is open to other users (mode 0604)",
               "close it with `chmod 600 DIR/key.pem`"));
}

TEST_CASE("a damaged certificate file is refused with the number of the certificate") {
  Given given;
  given.issue("leaf", kGoodName);
  given.use({"leaf", "ca"});
  const std::string hint = "get the file again from its source";
  std::string chain = given.text("chain.pem");
  SECTION("the second is cut off") {
    given.put("chain.pem", chain.substr(0, chain.size() - 100));
    CHECK(given.shown(given.findings().errors) ==
          at_certificate("certificate 2 in DIR/chain.pem cannot be read", hint));
  }
  SECTION("the first is no certificate inside") {
    given.put("chain.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + chain);
    CHECK(given.shown(given.findings().errors) ==
          at_certificate("certificate 1 in DIR/chain.pem cannot be read", hint));
  }
  SECTION("the key is in it") {
    given.put("chain.pem", chain + given.text("key.pem"));
    CHECK(given.shown(given.findings().errors) ==
          at_certificate("the certificate file DIR/chain.pem holds a private key, too",
                         "keep the key in a file of its own, closed to others"));
  }
  SECTION("all the authorities of the world") {
    for (int i = 0; i < 20; ++i) chain += given.text("ca.pem");
    given.put("chain.pem", chain);
    CHECK(given.shown(given.findings().errors) ==
          at_certificate("DIR/chain.pem holds more than 20 certificates",
                         "name the server's own chain, not a list of authorities"));
  }
}

TEST_CASE("a certificate that servers cannot use is refused") {
  Given given;
  SECTION("for clients only") {
    given.self_signed("leaf",
                      {"-subj", "/CN=x", "-addext", kGoodName, "-addext", "extendedKeyUsage=clientAuth"});
    given.use({"leaf"});
    CHECK(given.shown(given.findings().errors) ==
          at_certificate("the certificate DIR/chain.pem is not for TLS servers",
                         "name the server's own certificate, and first in the file"));
  }
  SECTION("RSA with 1024 bits") {
    given.self_signed("leaf", {"-subj", "/CN=x", "-addext", kGoodName}, "rsa:1024");
    given.use({"leaf"});
    CHECK(
        given.shown(given.findings().errors) ==
        at_certificate("the key of the certificate DIR/chain.pem is too weak: the appliance would refuse it",
                       "get a certificate for a key of ECDSA P-256, or of RSA with 2048 bits or more"));
  }
}

TEST_CASE("the clock tells of certificates that have expired, expire soon or are not valid yet") {
  Given given;
  given.issue("leaf", kGoodName, "90");
  given.use({"leaf", "ca"});
  CHECK(given.findings(75 * kDay).warnings.empty());
  const auto soon = given.findings(77 * kDay);
  CHECK(given.shown(soon.warnings) ==
        at_certificate("the certificate DIR/chain.pem expires on " + day_of(90 * kDay), "renew it"));
  CHECK(soon.errors.empty());
  CHECK(soon.untimely.empty());
  const auto late = given.findings(91 * kDay);
  CHECK(given.shown(late.untimely) ==
        at_certificate("the certificate DIR/chain.pem expired on " + day_of(90 * kDay), "renew it"));
  CHECK(late.errors.empty());
  const auto early = given.findings(-2 * kDay);
  REQUIRE(early.untimely.size() == 2);
  CHECK(early.untimely[0].message ==
        "the certificate " + given.site.tls.certificate.string() + " is not valid before " + day_of(0));
  CHECK(early.untimely[1].message ==
        "certificate 2 in " + given.site.tls.certificate.string() + " is not valid before " + day_of(0));
  CHECK(early.errors.empty());
}

TEST_CASE("a chain that mail programs may not be able to follow is a warning") {
  Given given;
  given.issue("leaf", kGoodName);
  SECTION("the issuer is missing") {
    given.use({"leaf"});
    CHECK(given.shown(given.findings().warnings) ==
          at_certificate("DIR/chain.pem holds the server's certificate without its issuer's",
                         "mail programs will refuse it unless they know the issuer: name the whole chain "
                         "(fullchain.pem)"));
  }
  SECTION("the second is of somebody else") {
    given.self_signed("other", {"-subj", "/CN=Our Authority"});  // the same name, another key
    given.use({"leaf", "other"});
    CHECK(given.shown(given.findings().warnings) ==
          at_certificate("certificate 1 in DIR/chain.pem was not issued by certificate 2",
                         "put the server's own first, and after each certificate that of its issuer"));
  }
  CHECK(given.findings().errors.empty());
}

TEST_CASE("a self-signed certificate of another host name is refused with the way to a new one") {
  Given given;
  given.site.tls = {};
  given.site.tls.certificate = given.folder() / "cert.pem";
  given.site.tls.private_key = given.folder() / "key.pem";
  REQUIRE(keys::make_missing_keys(given.site));
  CHECK(given.findings().errors.empty());
  CHECK(given.findings().warnings.empty());
  given.site.hostname = "mx.example.org";
  CHECK(given.shown(given.findings().errors) ==
        "the certificate DIR/cert.pem is for mail.example.org, not for mx.example.org\n"
        "  make a new one with `rm DIR/cert.pem && mailstead keys DIR/mail.yaml`\n");
}

TEST_CASE("DKIM keys are looked into, as far as they are there") {
  Given given;
  given.issue("leaf", kGoodName);
  given.use({"leaf", "ca"});
  spec::Domain domain;
  domain.name = domain.unicode = "example.org";
  domain.dkim = {{"s1-ed25519", spec::DkimAlgorithm::ed25519, given.folder() / "dkim.pem"},
                 {"s1-rsa2048", spec::DkimAlgorithm::rsa2048, given.folder() / "none.pem"}};
  given.site.domains = {domain};
  output_of({"openssl", "genpkey", "-algorithm", "ed25519", "-out", (given.folder() / "dkim.pem").string()});
  fs::permissions(given.folder() / "dkim.pem", fs::perms(0600));
  CHECK(given.findings().errors.empty());
  fs::permissions(given.folder() / "dkim.pem", fs::perms(0644));
  CHECK(given.shown(given.findings().errors) ==
        "the private key DIR/dkim.pem is open to other users (mode 0644)\n"
        "  close it with `chmod 600 DIR/dkim.pem`\n");
}
