// SPDX-License-Identifier: GPL-3.0-or-later
#include <sys/stat.h>

#include <fstream>

#include "base/files.hpp"
#include "keys/keys.hpp"
#include "support/catch.hpp"
#include "support/program.hpp"

namespace fs = std::filesystem;
using namespace mailstead;
using spec::DkimAlgorithm;
using test::output_of;

namespace {

struct Fixture {
  Fixture() : home(*TemporaryDirectory::create()) {}

  fs::path file(const std::string& name) const { return home.path() / name; }

  /// A key that OpenSSL's own program makes.
  fs::path given_key(const std::vector<std::string>& how, unsigned mode = 0600) const {
    const fs::path path = file("given.pem");
    std::vector<std::string> argv = {"openssl", "genpkey", "-out", path};
    argv.insert(argv.end(), how.begin(), how.end());
    output_of(argv);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path;
  }

  fs::path written(std::string_view text) const {
    REQUIRE(write_file(file("given.pem"), text, 0600));
    return file("given.pem");
  }

  spec::DkimKey made(DkimAlgorithm algorithm) const {
    spec::Site site;
    site.folder = home.path();
    site.hostname = "mail.example.org";
    site.tls = {spec::TlsMode::files, {}, {}, {}, {}};
    spec::Domain domain;
    domain.name = "example.org";
    domain.dkim = {{"s1", algorithm, file("secrets/dkim/example.org/s1.pem")}};
    site.domains = {domain};
    REQUIRE(keys::make_missing_keys(site));
    return domain.dkim[0];
  }

  TemporaryDirectory home;
};

Error refused(const fs::path& path, DkimAlgorithm algorithm = DkimAlgorithm::rsa2048) {
  const auto record = keys::dkim_record({"s1", algorithm, path});
  REQUIRE_FALSE(record);
  CHECK(record.error().kind == ErrorKind::usage);
  return record.error();
}

std::string openssl(std::vector<std::string> arguments, std::string input = {}) {
  arguments.insert(arguments.begin(), "openssl");
  return output_of(std::move(arguments), std::move(input));
}

std::string base64(const std::string& bytes) {
  return openssl({"base64", "-A"}, bytes);
}

std::string private_key_pem(const std::string& der) {
  return "-----BEGIN PRIVATE KEY-----\n" + openssl({"base64"}, der) + "-----END PRIVATE KEY-----\n";
}

}  // namespace

TEST_CASE("an RSA record holds the public key as OpenSSL derives it from the key file") {
  const Fixture fixture;
  const auto key = fixture.made(DkimAlgorithm::rsa2048);
  const std::string der = openssl({"pkey", "-in", key.private_key, "-pubout", "-outform", "DER"});
  const auto record = keys::dkim_record(key);
  REQUIRE(record);
  CHECK(*record == "v=DKIM1; k=rsa; p=" + base64(der));
  const std::string text = openssl({"pkey", "-in", key.private_key, "-noout", "-text_pub"});
  CHECK(text.find("Public-Key: (2048 bit)") != std::string::npos);
  CHECK(text.find("Exponent: 65537 ") != std::string::npos);
  const auto pem = read_file(key.private_key);
  REQUIRE(pem);
  CHECK(pem->starts_with("-----BEGIN PRIVATE KEY-----\n"));
}

TEST_CASE("an Ed25519 record holds the bare public key, the last 32 octets of OpenSSL's form") {
  const Fixture fixture;
  const auto key = fixture.made(DkimAlgorithm::ed25519);
  const std::string der = openssl({"pkey", "-in", key.private_key, "-pubout", "-outform", "DER"});
  REQUIRE(der.size() == 44);
  const auto record = keys::dkim_record(key);
  REQUIRE(record);
  CHECK(*record == "v=DKIM1; k=ed25519; p=" + base64(der.substr(12)));
}

TEST_CASE("the record of RFC 8463 appendix A comes from its key") {
  const Fixture fixture;
  // The secret key of A.2, as PKCS#8: the fixed 16 octets of RFC 8410 section 7, then the key.
  const auto secret = openssl({"base64", "-d", "-A"}, "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
  const std::string prefix("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);
  const auto path = fixture.written(private_key_pem(prefix + secret));
  const auto record = keys::dkim_record({"brisbane", DkimAlgorithm::ed25519, path});
  REQUIRE(record);
  CHECK(*record == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
}

TEST_CASE("mail signed with the key file verifies against the record, and not against another one") {
  // dkimpy signs and verifies: neither our code nor OpenSSL's program takes part.
  static constexpr const char* kScript = R"(
import dkim, sys, base64
algorithm, path, record, other = sys.argv[1:5]
pem = open(path, 'rb').read()
if algorithm == 'ed25519-sha256':  # dkimpy wants the bare key, the last 32 octets of the PKCS#8 form
    pem = base64.b64encode(base64.b64decode(b''.join(pem.splitlines()[1:-1]))[-32:])
message = b'From: alice@example.org\r\nTo: bob@example.net\r\nSubject: hello\r\n\r\nHello.\r\n'
signed = dkim.sign(message, b's1', b'example.org', pem, include_headers=[b'from', b'subject'],
                   canonicalize=(b'relaxed', b'relaxed'), signature_algorithm=algorithm.encode()) + message
def verify(message, text):
    def answer(name, timeout=5):
        assert name.rstrip(b'.') == b's1._domainkey.example.org', name
        return text.encode()
    return dkim.verify(message, dnsfunc=answer)
assert verify(signed, record), 'the record does not fit the key'
assert not verify(signed.replace(b'Hello.', b'Hullo.'), record), 'an altered message passes'
assert not verify(signed, other), 'the record of another key fits'
print('fits')
)";
  for (const auto algorithm : {DkimAlgorithm::rsa2048, DkimAlgorithm::ed25519}) {
    const Fixture fixture;
    const Fixture other;
    const auto key = fixture.made(algorithm);
    const auto record = keys::dkim_record(key);
    const auto other_record = keys::dkim_record(other.made(algorithm));
    REQUIRE(record);
    REQUIRE(other_record);
    CHECK(output_of({"/usr/bin/python3", "-c", kScript,
                     algorithm == DkimAlgorithm::rsa2048 ? "rsa-sha256" : "ed25519-sha256", key.private_key,
                     *record, *other_record}) == "fits\n");
  }
}

TEST_CASE("keys that the user brings are taken if they are good") {
  const Fixture fixture;
  SECTION("RSA of 4096 bits in the older PKCS#1 form") {
    const auto path = fixture.given_key({"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"});
    const auto old_form = fixture.file("old.pem");
    output_of({"openssl", "pkey", "-in", path, "-traditional", "-out", old_form});
    REQUIRE(::chmod(old_form.c_str(), 0400) == 0);
    CHECK(keys::dkim_record({"s1", DkimAlgorithm::rsa2048, old_form}));
  }
  SECTION("through a symbolic link") {
    const auto path = fixture.given_key({"-algorithm", "ED25519"});
    fs::create_symlink(path, fixture.file("link.pem"));
    CHECK(keys::dkim_record({"s1", DkimAlgorithm::ed25519, fixture.file("link.pem")}));
  }
}

TEST_CASE("keys that must not be published are refused with a remedy") {
  const Fixture fixture;
  SECTION("missing") {
    const auto path = fixture.file("none.pem");
    const Error error = refused(path);
    CHECK(error.message == "cannot read the key " + path.string() + ": No such file or directory");
    CHECK(error.hint == "make the missing keys with `mailstead keys SPEC`, or put the file back");
  }
  SECTION("readable by others") {
    for (const unsigned mode : {0640U, 0604U, 0620U, 0777U}) {
      const auto path = fixture.given_key({"-algorithm", "ED25519"}, mode);
      CHECK(refused(path, DkimAlgorithm::ed25519).hint == "close it with `chmod 600 " + path.string() + "`");
    }
  }
  SECTION("RSA too short") {
    const auto path = fixture.given_key({"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"});
    CHECK(refused(path).message ==
          "the DKIM key " + path.string() + " has 1024 bits; it must have 2048 to 4096");
  }
  SECTION("wrong algorithm") {
    const auto path = fixture.given_key({"-algorithm", "ED25519"});
    CHECK(refused(path).message ==
          "the DKIM key " + path.string() + " is a key for ED25519, but the spec requires RSA");
  }
  SECTION("RSA for PSS only, which DKIM does not know") {
    const auto path = fixture.given_key({"-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"});
    CHECK(refused(path).message ==
          "the DKIM key " + path.string() + " is a key for RSA-PSS, but the spec requires RSA");
  }
  SECTION("encrypted: no passphrase is asked for") {
    const auto path = fixture.given_key({"-algorithm", "ED25519", "-aes256", "-pass", "pass:secret"});
    CHECK(refused(path, DkimAlgorithm::ed25519).message ==
          "the private key " + path.string() + " is encrypted");
  }
  SECTION("a public key") {
    const auto path = fixture.given_key({"-algorithm", "ED25519"});
    const auto public_key = openssl({"pkey", "-in", path, "-pubout"});
    CHECK(refused(fixture.written(public_key), DkimAlgorithm::ed25519).message ==
          path.string() + " is not a private key in PEM form");
  }
  SECTION("empty, cut off, or noise") {
    const auto path = fixture.given_key({"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"});
    const auto pem = read_file(path);
    REQUIRE(pem);
    for (const std::string& text : {std::string(), pem->substr(0, pem->size() / 2), std::string(5000, '\0')})
      CHECK(refused(fixture.written(text)).message == path.string() + " is not a private key in PEM form");
  }
  SECTION("larger than any key") {
    const auto path = fixture.written(std::string(64 * 1024 + 1, 'A'));
    CHECK(refused(path).message == "the key " + path.string() + " is larger than 64 KiB");
  }
  SECTION("a folder or a FIFO, which does not hang") {
    CHECK(refused(fixture.home.path()).message ==
          "the key " + fixture.home.path().string() + " is not a regular file");
    REQUIRE(::mkfifo(fixture.file("fifo").c_str(), 0600) == 0);
    CHECK(refused(fixture.file("fifo")).message ==
          "the key " + fixture.file("fifo").string() + " is not a regular file");
  }
  SECTION("halves of two keys") {
    const auto first = fixture.given_key({"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"});
    std::string der = openssl({"pkcs8", "-topk8", "-nocrypt", "-in", first, "-outform", "DER"});
    const auto modulus_start = der.find(std::string("\x02\x82\x01\x01\x00", 5));
    REQUIRE(modulus_start != std::string::npos);
    der[modulus_start + 100] = static_cast<char>(der[modulus_start + 100] ^ 1);
    const auto path = fixture.written(private_key_pem(der));
    CHECK(refused(path).message ==
          "the DKIM key " + path.string() + " is damaged: its signatures do not verify");
  }
}
