// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <fmt/format.h>

#include <compare>
#include <string>
#include <string_view>

namespace mailstead {

/// The address of a server (RFC 3986), perhaps with a user and a password ("http://user:password@host/").
/// Text that is made of it never has these: only `exact` does, which is for the program that connects.
class Address {
 public:
  Address() = default;
  Address(std::string exact) : exact_(std::move(exact)) {}  // NOLINT: an address is a text, with care taken
  Address(const char* exact) : exact_(exact) {}             // NOLINT

  const std::string& exact() const { return exact_; }
  /// As people may see it. Of what is no valid address, less is shown rather than too much: what stands
  /// before the last '@' may be a password, and a port that is not a number, too.
  std::string shown() const;

  bool empty() const { return exact_.empty(); }
  /// The host as in the address ("mirror.example", "[2001:db8::1]"), or empty.
  std::string host() const;
  /// What `path` is called below it; `path` has no slash in front.
  Address operator/(std::string_view path) const { return exact_ + "/" + std::string(path); }
  friend auto operator<=>(const Address&, const Address&) = default;

 private:
  std::string exact_;
};

/// A text of another program (libcurl, apt-get) without the users and passwords of the addresses in it.
std::string without_credentials(std::string_view text);

}  // namespace mailstead

template <>
struct fmt::formatter<mailstead::Address> : fmt::formatter<std::string> {
  template <class Context>
  auto format(const mailstead::Address& address, Context& context) const {
    return fmt::formatter<std::string>::format(address.shown(), context);
  }
};
