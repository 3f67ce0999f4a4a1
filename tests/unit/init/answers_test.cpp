// SPDX-License-Identifier: GPL-3.0-or-later
// Each answer is held against the rules of the spec at once, with its words; one that is refused changes
// nothing.
#include "init/answers.hpp"

#include <functional>

#include "base/files.hpp"
#include "spec/load.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using init::Answers;

namespace {

const std::string kKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKr0C1TCRvDB8J0pqG1GpJAZKt7w4sQbU6t3XmZ3vQ2H admin@example.net";

Answers of_domains(std::vector<std::string> domains) {
  Answers answers;
  for (const std::string& domain : domains) REQUIRE(init::add_domain(answers, domain));
  return answers;
}

/// What is said to a wrong answer, after which the answers are as before.
std::string refusal(const Answers& before, const std::function<Status(Answers&)>& answer) {
  Answers answers = before;
  const Status taken = answer(answers);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().kind == ErrorKind::usage);
  CHECK_FALSE(taken.error().place);
  CHECK(answers == before);
  return taken.error().message + (taken.error().hint.empty() ? "" : " / " + taken.error().hint);
}

}  // namespace

TEST_CASE("Domains and host name are checked as in a spec, and kept as people read them") {
  Answers answers = of_domains({"Example.ORG", "xn--bcher-kva.example"});
  CHECK(answers.domains == std::vector<std::string>{"example.org", "bücher.example"});
  const auto domain = [&](const char* text) {
    return refusal(answers, [text](Answers& tried) { return init::add_domain(tried, text); });
  };
  CHECK(domain("") == "the name is empty");
  CHECK(domain("org") == "'org' has only one label / write the whole name, as mail.example.org");
  CHECK(domain("a_b.org") ==
        "'a_b.org' holds the character '_', which no name can hold / use letters, digits and hyphens");
  CHECK(domain("alice@example.org") ==
        "'alice@example.org' is an address, not a domain / leave out what is before the '@'");
  CHECK(domain("bücher.example") == "the domain bücher.example was given twice");
  CHECK(domain("a.org: b").starts_with("'a.org: b' holds the character ':'"));
  CHECK(domain("x.org\nmalicious: key").starts_with("'x.org\\x0amalicious: key' holds the character"));
  REQUIRE(init::set_hostname(answers, "MX.bücher.example"));
  CHECK(answers.hostname == "mx.xn--bcher-kva.example");
  CHECK(refusal(answers, [](Answers& tried) { return init::set_hostname(tried, "192.0.2.1"); }) ==
        "'192.0.2.1' ends with a number, as only an IP address does");
}

TEST_CASE("People have addresses of the domains that can log in") {
  Answers answers = of_domains({"example.org"});
  REQUIRE(init::add_person(answers, "Alice"));  // there is only one domain
  REQUIRE(init::add_person(answers, "bob@EXAMPLE.org"));
  CHECK(answers.people[0].address == "alice@example.org");
  CHECK(answers.people[1].address == "bob@example.org");
  const auto person = [](const Answers& before, const char* text) {
    return refusal(before, [text](Answers& tried) { return init::add_person(tried, text); });
  };
  CHECK(person(answers, "alice@example.org") == "the address alice@example.org was given twice");
  CHECK(person(answers, "carol@exmaple.org") ==
        "the domain 'exmaple.org' is not one of this site's; did you mean 'example.org'? / add it below "
        "'domains'");
  CHECK(person(answers, "a b") == "'a b@example.org' holds the character ' ', which no address can hold");
  CHECK(
      person(answers, "a+b").starts_with("the account 'a+b@example.org' holds the recipient delimiter '+'"));
  CHECK(person(answers, "o'brien").starts_with("the account 'o'brien@example.org' holds the character '''"));
  CHECK(person(answers, "") == "'@example.org' has nothing before the '@'");
  CHECK(person(of_domains({"example.org"}), "carol@exmaple.org")
            .starts_with("the domain 'exmaple.org' is not one"));
  CHECK(person(of_domains({"a.org", "b.org"}), "alice") ==
        "'alice' is not an address / write it with its domain, as name@example.org");
  // A postmaster's own mailbox takes the alias from the first person.
  REQUIRE(init::add_person(answers, "postmaster"));
}

TEST_CASE("Addresses, gateways and the time zone are checked as in a spec") {
  Answers answers = of_domains({"example.org"});
  REQUIRE(init::set_network(answers, {"192.0.2.5/24", "2001:db8::5/64"}, {"192.0.2.1", "fe80::1"}));
  const auto network = [&](std::vector<std::string> addresses, std::vector<std::string> gateways) {
    return refusal(answers, [=](Answers& tried) { return init::set_network(tried, addresses, gateways); });
  };
  CHECK(network({"192.0.2.5"}, {"192.0.2.1"}) ==
        "'192.0.2.5' has no prefix length / write it as 192.0.2.5/24 or 2001:db8::5/64");
  CHECK(network({"192.0.2.5/24"}, {"198.51.100.1"})
            .starts_with("the gateway 198.51.100.1 is in none of the networks of the addresses"));
  CHECK(network({"192.0.2.5/24", "192.0.2.5/24"}, {"192.0.2.1"}) == "the address 192.0.2.5 is listed twice");
  CHECK(network({"192.0.2.5/24"}, {"192.0.2.5"}) ==
        "the gateway 192.0.2.5 is an address of the appliance itself");
  REQUIRE(init::set_time_zone(answers, "Europe/Berlin"));
  CHECK(refusal(answers, [](Answers& tried) {
          return init::set_time_zone(tried, "Europe/Berln");
        }).starts_with("unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"));
}

TEST_CASE("SSH keys are given as such or as a file of them") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const auto file = [&](const char* name, const std::string& text) {
    REQUIRE(write_file(folder.path() / name, text));
    return (folder.path() / name).string();
  };
  Answers answers = of_domains({"example.org"});
  REQUIRE(init::add_ssh_keys(answers, kKey));
  REQUIRE(init::add_ssh_keys(answers, file("keys", "# mine\r\n\n" + kKey + "\r\nno-pty " + kKey)));
  CHECK(answers.ssh_keys == std::vector<std::string>{kKey, kKey, "no-pty " + kKey});
  const auto key = [&](const std::string& text) {
    return refusal(answers, [&](Answers& tried) { return init::add_ssh_keys(tried, text); });
  };
  CHECK(key(kKey.substr(0, 40)).starts_with("this public key of the type ssh-ed25519 is not complete"));
  CHECK(key(kKey + "\x1b[2J").starts_with("the public key holds characters that are not text"));
  CHECK(key(kKey + "\xff").starts_with("the public key holds characters that are not text"));
  CHECK(key("/nowhere/id.pub") ==
        "cannot open /nowhere/id.pub: No such file or directory / give a public key, or a file with one, as "
        "~/.ssh/id_ed25519.pub");
  CHECK(key(file("private", "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n"))
            .starts_with("this is a private key, which belongs on no other machine"));
  CHECK(key(file("two", kKey + "\nnonsense\n")).starts_with("this is not a public key of OpenSSH"));
  CHECK(key(file("none", "# nothing\n")).ends_with("none contains no public key"));
  CHECK(key("-----BEGIN OPENSSH PRIVATE KEY-----").starts_with("this is a private key"));
}
