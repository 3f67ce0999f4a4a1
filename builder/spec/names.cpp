// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/names.hpp"

#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "text/ascii.hpp"
#include "yaml/look_alike.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::spec {
namespace {

using yaml::quote;

struct FreeIdn {
  void operator()(char* text) const { idn2_free(text); }
};
using IdnText = std::unique_ptr<char, FreeIdn>;

/// A label of letters, digits and hyphens, lower case.
Checked<void> check_label(std::string_view label, std::string_view whole) {
  if (label.empty()) return fault(fmt::format("{} has an empty label between its dots", quote(whole)));
  if (label.size() > 63) return fault(fmt::format("{} has a label of more than 63 bytes", quote(whole)));
  for (const char c : label) {
    if (!text::is_lower(c) && !text::is_digit(c) && c != '-') {
      return fault(fmt::format("{} holds the character {}, which no name can hold", quote(whole),
                               quote(std::string_view(&c, 1))),
                   "use letters, digits and hyphens");
    }
  }
  if (label.front() == '-' || label.back() == '-') {
    return fault(fmt::format("{} has a label that begins or ends with a hyphen", quote(whole)));
  }
  if (label.size() > 3 && label.substr(2, 2) == "--" && !label.starts_with("xn--")) {
    return fault(fmt::format("{} has a label with hyphens in the third and fourth place", quote(whole)));
  }
  return {};
}

/// Fails for a name with a label of ASCII letters and of others that look like such: registries refuse it,
/// and nobody types it on purpose.
Checked<DomainName> refuse_mixed_letters(DomainName name) {
  for (std::size_t begin = 0; begin <= name.unicode.size();) {
    const std::size_t end = std::min(name.unicode.find('.', begin), name.unicode.size());
    const std::string label = name.unicode.substr(begin, end - begin);
    const std::string looks = yaml::as_it_looks(label);
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    const bool mixed = label != looks && std::all_of(looks.begin(), looks.end(), is_ascii) &&
                       std::any_of(label.begin(), label.end(), text::is_lower);
    if (mixed) {
      const std::string whole = yaml::as_it_looks(name.unicode);
      return fault(fmt::format("{} and {} look the same, but {}", quote(name.unicode), quote(whole),
                               yaml::hidden_difference(name.unicode, whole).value_or("")),
                   "type it again");
    }
    begin = end + 1;
  }
  return name;
}

Checked<DomainName> parse_name(std::string_view text, std::size_t least_labels) {
  if (text.empty()) return fault("the name is empty");
  if (text.find('@') != std::string_view::npos) {
    return fault(fmt::format("{} is an address, not a domain", quote(text)),
                 "leave out what is before the '@'");
  }
  if (text.size() > 1000) return fault(fmt::format("{} is longer than 253 bytes", quote(text)));
  if (text.find('\0') != std::string_view::npos) return fault(fmt::format("{} holds a NUL", quote(text)));
  if (text.back() == '.')
    return fault(fmt::format("{} ends with a dot", quote(text)), "leave out the last dot");
  DomainName name;
  const std::string given(text);
  const bool ascii =
      std::all_of(given.begin(), given.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) {
    name.ascii = text::lower(given);
  } else {
    char* raw = nullptr;
    const int status = idn2_to_ascii_8z(given.c_str(), &raw, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    const IdnText encoded(raw);
    if (status != IDN2_OK) {
      return fault(
          fmt::format("{} is not an internationalised name ({})", quote(text), idn2_strerror(status)));
    }
    name.ascii = text::lower(encoded.get());
  }
  if (name.ascii.size() > 253) return fault(fmt::format("{} is longer than 253 bytes", quote(text)));
  std::size_t labels = 0;
  std::string_view last;
  bool encoded_label = false;
  for (std::size_t begin = 0; begin <= name.ascii.size();) {
    const std::size_t end = std::min(name.ascii.find('.', begin), name.ascii.size());
    last = std::string_view(name.ascii).substr(begin, end - begin);
    if (auto checked = check_label(last, text); !checked) return tl::unexpected<Fault>(checked.error());
    encoded_label |= last.starts_with("xn--");
    ++labels;
    begin = end + 1;
  }
  if (labels < least_labels) {
    return fault(fmt::format("{} has only one label", quote(text)),
                 "write the whole name, as mail.example.org");
  }
  if (std::all_of(last.begin(), last.end(), text::is_digit)) {
    return fault(fmt::format("{} ends with a number, as only an IP address does", quote(text)));
  }
  if (last == "invalid") {
    return fault(
        fmt::format("{} cannot exist: nobody is given names below 'invalid' (RFC 2606)", quote(text)),
        "write the domain that you own");
  }
  name.unicode = name.ascii;
  if (encoded_label) {
    // The way back and forth again also finds "xn--…" that encodes nothing, or something that IDNA2008
    // forbids.
    char* raw = nullptr;
    int status = idn2_to_unicode_8z8z(name.ascii.c_str(), &raw, 0);
    const IdnText decoded(raw);
    char* again_raw = nullptr;
    if (status == IDN2_OK) {
      status = idn2_to_ascii_8z(decoded.get(), &again_raw, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    }
    const IdnText again(again_raw);
    if (status != IDN2_OK) {
      return fault(
          fmt::format("{} is not an internationalised name ({})", quote(text), idn2_strerror(status)));
    }
    if (text::lower(again.get()) != name.ascii) {
      return fault(fmt::format("{} is not in the one form that IDNA2008 allows", quote(text)),
                   fmt::format("write {}", decoded.get()));
    }
    name.unicode = decoded.get();
  }
  return refuse_mixed_letters(std::move(name));
}

}  // namespace

Checked<DomainName> parse_domain(std::string_view text) {
  return parse_name(text, 2);
}

Checked<DomainName> parse_zone(std::string_view text) {
  return parse_name(text, 1);
}

Checked<std::string> parse_hostname(std::string_view text) {
  auto name = parse_name(text, 2);
  if (!name) return tl::unexpected<Fault>(name.error());
  if (name->ascii.size() > 64) {
    return fault(fmt::format("the host name {} is longer than 64 bytes", quote(text)),
                 "Linux accepts host names of up to 64 bytes");
  }
  return name->ascii;
}

Checked<Address> parse_address(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) {
    return fault(fmt::format("{} is not an address", quote(text)),
                 "write it with its domain, as name@example.org");
  }
  const std::string_view local = text.substr(0, at);
  if (local.empty()) return fault(fmt::format("{} has nothing before the '@'", quote(text)));
  if (local.front() == '"') {
    return fault(fmt::format("{} has a local part in quotes, which is not supported", quote(text)));
  }
  if (local.size() > 64) return fault(fmt::format("{} has more than 64 bytes before the '@'", quote(text)));
  if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos) {
    return fault(fmt::format("{} has a dot at the edge, or two dots in a row, before the '@'", quote(text)));
  }
  for (const char c : local) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      const std::string looks = yaml::as_it_looks(local);
      if (const auto letter = yaml::hidden_difference(local, looks);
          letter && std::all_of(looks.begin(), looks.end(), [](char one) { return (one & 0x80) == 0; }))
        return fault(fmt::format("{} and {} look the same, but {}", quote(local), quote(looks), *letter),
                     "type it again");
      return fault(fmt::format("{} has a character before the '@' that is not ASCII, which is not supported",
                               quote(text)));
    }
    const bool letter = text::is_lower(c) || text::is_digit(c) || text::is_upper(c);
    if (!letter && std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) == std::string_view::npos) {
      return fault(fmt::format("{} holds the character {}, which no address can hold", quote(text),
                               quote(std::string_view(&c, 1))));
    }
  }
  if (at + 1 == text.size()) return fault(fmt::format("{} has nothing behind the '@'", quote(text)));
  auto domain = parse_name(text.substr(at + 1), 2);
  if (!domain) return tl::unexpected<Fault>(domain.error());
  if (local.size() + 1 + domain->ascii.size() > 254)
    return fault(fmt::format("{} is longer than 254 bytes", quote(text)));
  return Address{text::lower(local), domain->ascii};
}

Checked<std::string> parse_selector(std::string_view text) {
  std::string selector = text::lower(text);
  if (selector.empty()) return fault("the selector is empty");
  for (std::size_t begin = 0; begin <= selector.size();) {
    const std::size_t end = std::min(selector.find('.', begin), selector.size());
    if (auto checked = check_label(std::string_view(selector).substr(begin, end - begin), text); !checked) {
      return tl::unexpected<Fault>(checked.error());
    }
    begin = end + 1;
  }
  // "-ed25519" is put behind it, and both must fit into a label.
  if (selector.size() > 55) return fault(fmt::format("the selector {} is longer than 55 bytes", quote(text)));
  return selector;
}

}  // namespace mailstead::spec
