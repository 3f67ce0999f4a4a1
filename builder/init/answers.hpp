// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mailstead::init {

struct Person {
  std::string address;
  std::string password_hash;
  friend bool operator==(const Person&, const Person&) = default;
};

/// What a first spec says. The functions below add what a person has written: each answer is held against the
/// rules of the spec at once, so that what they have accepted is a valid spec. Their errors
/// (ErrorKind::usage) are the spec's own, without a place, and leave the answers as they were.
struct Answers {
  std::vector<std::string> domains;  ///< as people read them (U-labels); must come first
  std::string hostname;
  std::vector<Person> people;          ///< the first one is postmaster where nobody else is
  std::vector<std::string> addresses;  ///< "192.0.2.5/24"; empty: by DHCP
  std::vector<std::string> gateways;
  std::vector<std::string> ssh_keys;  ///< lines of authorized_keys(5); empty: no SSH
  std::string time_zone;              ///< empty: the default
  friend bool operator==(const Answers&, const Answers&) = default;
};

Status add_domain(Answers& answers, std::string_view domain);
Status set_hostname(Answers& answers, std::string_view hostname);
/// An address of one of the domains; its local part is enough if there is one domain.
Status add_person(Answers& answers, std::string_view address);
/// Fixed addresses with the lengths of their prefixes, and one gateway for each kind of address.
Status set_network(Answers& answers, std::vector<std::string> addresses, std::vector<std::string> gateways);
/// A public key, or the name of a file with one a line ("~/" is the home folder).
Status add_ssh_keys(Answers& answers, std::string_view key_or_file);
Status set_time_zone(Answers& answers, std::string_view time_zone);

/// The spec for people to read and to go on from: each block explained in a sentence, what is off as a line
/// that begins with '#'. Everything in it is quoted as YAML needs it. There is a domain and a person.
std::string spec_text(const Answers& answers);

}  // namespace mailstead::init
