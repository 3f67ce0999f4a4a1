// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/reading.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/files.hpp"
#include "base/ownership.hpp"
#include "crypto/digest.hpp"
#include "text/ascii.hpp"
#include "yaml/look_alike.hpp"

namespace mailstead::spec {

using yaml::quote;
using yaml::Value;

namespace {

/// Whether a file is in a folder or below it, wherever symbolic links lead.
bool is_below(const std::filesystem::path& file, const std::filesystem::path& folder) {
  std::error_code error;
  const auto real_file = std::filesystem::canonical(file, error);
  const auto real_folder = error ? folder : std::filesystem::canonical(folder, error);
  if (error) return false;
  return std::mismatch(real_folder.begin(), real_folder.end(), real_file.begin(), real_file.end()).first ==
         real_folder.end();
}

/// "write several as a list" for a text that holds more than one.
std::string list_hint(const std::string& text) {
  if (text.find('@') == text.rfind('@') || text.find_first_of(", ;") == std::string::npos) return {};
  return "write several addresses as a list: [a@example.org, b@example.org]";
}

}  // namespace

bool Reading::is_own_domain(const std::string& domain) const {
  const auto at =
      std::lower_bound(site.domains.begin(), site.domains.end(), domain,
                       [](const Domain& known, const std::string& name) { return known.name < name; });
  return at != site.domains.end() && at->name == domain;
}

std::optional<Mention> Reading::address(const Value& value) {
  const auto text = value.as_string(problems);
  if (!text) return std::nullopt;
  auto address = parse_address(*text);
  if (!address && text->find('@') == std::string::npos && !site.domains.empty()) {
    address.error().hint =
        fmt::format("write it with its domain, as {}@{}", *text, site.domains.front().unicode);
    if (!parse_address(*text + "@" + site.domains.front().name)) address.error().hint.clear();
  }
  if (const std::string several = list_hint(*text); !address && !several.empty())
    address.error().hint = several;
  auto accepted = accept(std::move(address), value);
  if (!accepted) return std::nullopt;
  return Mention{*std::move(accepted), value};
}

std::optional<Mention> Reading::own_address(const Value& value) {
  auto mention = address(value);
  if (!mention) return std::nullopt;
  // A line that begins so is a comment in the files by which Dovecot knows addresses.
  if (mention->address.local.front() == '#') {
    problems.add(value.error(fmt::format("{} begins with '#', which no address of this site may",
                                         quote(mention->address.text()))));
    return std::nullopt;
  }
  // Accounts name folders and files, which have at most 255 bytes with what is added to them.
  constexpr std::size_t kLongest = 240;
  if (mention->address.text().size() > kLongest) {
    problems.add(value.error(fmt::format("the address has {} bytes; one of this site has at most {}",
                                         mention->address.text().size(), kLongest)));
    return std::nullopt;
  }
  // Without any domain, one error for the missing section is enough.
  if (site.domains.empty() || lacks_domain || is_own_domain(mention->address.domain)) return mention;
  if (const auto alike = domain_that_looks_like(mention->address.domain)) {
    problems.add(value.error(*alike, "type it again"));
    return std::nullopt;
  }
  const auto names = [&] {
    std::vector<std::string> all;
    all.reserve(site.domains.size());
    for (const Domain& domain : site.domains) all.push_back(domain.name);
    return all;
  };
  problems.add([&] {
    return value.error(
        fmt::format("the domain {} is not one of this site's{}", quote(mention->address.domain),
                    suggestion(mention->address.domain, names)),
        "add it below 'domains'");
  });
  return std::nullopt;
}

void Reading::miss_name(const Value& value) {
  lacks_name = true;
  if (value.is_scalar()) missing_look_alikes.insert(text::lower(yaml::as_it_looks(value.text())));
}

std::optional<std::string> Reading::domain_that_looks_like(const std::string& domain) const {
  const auto name = parse_domain(domain);
  if (!name || name->unicode == name->ascii) return std::nullopt;  // ASCII looks like ASCII only
  for (const Domain& own : site.domains) {
    if (const auto letter = yaml::hidden_difference(name->unicode, own.unicode))
      return fmt::format("{} and {} look the same, but {}", quote(name->unicode), quote(own.unicode),
                         *letter);
  }
  return std::nullopt;
}

std::string Reading::suggestion(const std::string& word,
                                const std::function<std::vector<std::string>()>& names) {
  // Four errors in a site of 10,000 accounts with an alias each.
  constexpr std::size_t kMost = 2'000'000;
  if (compared > kMost) return {};
  const std::vector<std::string> candidates = names();
  for (const std::string& name : candidates) compared += name.size();
  return yaml::did_you_mean(word, candidates);
}

std::vector<Mention> Reading::addresses(const Field& list) {
  std::vector<Mention> mentions;
  for (const Value& item : items(list)) {
    if (auto mention = address(item)) mentions.push_back(*std::move(mention));
  }
  return mentions;
}

std::filesystem::path Reading::absolute(std::string_view path) const {
  return (site.folder / std::filesystem::path(path)).lexically_normal();
}

void Reading::note_file(const Value& value, std::string_view text) const {
  site.files.insert_or_assign(std::string(value.text()), crypto::sha256_hex(text));
}

void Reading::warn(const Value& value, std::string message, std::string hint) const {
  site.warnings.push_back(value.error(std::move(message), std::move(hint)));
}

std::optional<std::string> Reading::named_file(const Field& value, FileKind kind) {
  const std::uint64_t limit = value.key->most;
  const auto name = value.as_string(problems);
  if (!name) return std::nullopt;
  if (name->empty() || name->find('\0') != std::string::npos) {
    problems.add(value.error(fmt::format("{} is not the name of a file", quote(*name))));
    return std::nullopt;
  }
  const std::filesystem::path path = absolute(*name);
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    problems.add(value.error(fmt::format("the file {} does not exist or cannot be reached", quote(*name)),
                             "file names are relative to the folder of the spec"));
    return std::nullopt;
  }
  if (kind == FileKind::shown && !is_below(path, site.folder)) {
    problems.add(value.error(fmt::format("the file {} is not below the folder of the spec", quote(*name)),
                             "copy it there: messages show lines of it, and a spec may be somebody else's"));
    return std::nullopt;
  }
  if (!S_ISREG(status.st_mode)) {
    problems.add(value.error(fmt::format("{} is not a regular file", quote(*name))));
    return std::nullopt;
  }
  if (kind == FileKind::secret && (status.st_mode & 0007) != 0) {
    problems.add(value.error(fmt::format("the file {} is readable or writable by other users", quote(*name)),
                             closing_hint(path, *name)));
    return std::nullopt;
  }
  if (static_cast<std::uint64_t>(status.st_size) > limit) {
    problems.add(value.error(fmt::format("the file {} is larger than {} bytes", quote(*name), limit)));
    return std::nullopt;
  }
  auto text = read_file(path, limit);
  if (!text) {
    problems.add(
        value.error(fmt::format("the file {} cannot be read", quote(*name)), "check its owner and mode"));
    return std::nullopt;
  }
  return *std::move(text);
}

}  // namespace mailstead::spec
