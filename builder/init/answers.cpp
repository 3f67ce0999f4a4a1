// SPDX-License-Identifier: GPL-3.0-or-later
#include "init/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/files.hpp"
#include "base/printable.hpp"
#include "spec/formats.hpp"
#include "spec/load.hpp"
#include "spec/names.hpp"

namespace mailstead::init {
namespace {

tl::unexpected<Error> refused(spec::Fault fault) {
  return fail(ErrorKind::usage, std::move(fault.message), std::move(fault.hint));
}

/// Takes the answers over if they are a valid spec with what has not been answered yet; the spec's first
/// error otherwise.
Status accept(Answers& answers, Answers changed) {
  Answers whole = changed;
  if (whole.hostname.empty()) whole.hostname = "mail.example.org";
  // A postmaster, so that a wrong address of the first person is not told as the lack of one. No longer than
  // that alias, and no name that somebody would give.
  whole.people.insert(whole.people.begin(), {"x--first@" + whole.domains.front(), {}});
  for (Person& person : whole.people)
    if (person.password_hash.empty())
      person.password_hash = fmt::format("$y$j9T${}${}", std::string(22, '.'), std::string(43, '.'));
  if (const auto site = spec::parse_site(spec_text(whole), "mail.yaml"); !site)
    return fail(ErrorKind::usage, site.error().message, site.error().hint);
  answers = std::move(changed);
  return ok();
}

Status add_ssh_key(Answers& answers, const std::string& line) {
  if (printable(line, true) != line)
    return fail(ErrorKind::usage, "the public key holds characters that are not text",
                "use the single line of a file like id_ed25519.pub");
  Answers changed = answers;
  changed.ssh_keys.push_back(line);
  return accept(answers, std::move(changed));
}

/// Whether it is meant as a key, though it may be damaged: keys have several words, or are pasted with their
/// frame.
bool looks_like_key(std::string_view text) {
  return spec::parse_authorized_key(text).has_value() || text.starts_with("ssh-") ||
         text.starts_with("ecdsa-") || text.starts_with("sk-") || text.starts_with("-----");
}

std::filesystem::path with_home(std::string_view name) {
  const char* home = std::getenv("HOME");
  if (!name.starts_with("~/") || home == nullptr) return name;
  return std::filesystem::path(home) / name.substr(2);
}

Status add_keys_of_file(Answers& answers, const std::filesystem::path& file) {
  auto text = read_file(file, 64u << 10);
  if (!text) {
    return fail(ErrorKind::usage, text.error().message,
                "give a public key, or a file with one, as ~/.ssh/id_ed25519.pub");
  }
  Answers changed = answers;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    std::string line = text->substr(begin, end - begin);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty() && line.front() != '#') CHECK_OK(add_ssh_key(changed, line));
    begin = end + 1;
  }
  if (changed.ssh_keys.size() == answers.ssh_keys.size())
    return fail(ErrorKind::usage, fmt::format("{} contains no public key", file.string()));
  answers = std::move(changed);
  return ok();
}

}  // namespace

Status add_domain(Answers& answers, std::string_view domain) {
  const auto name = spec::parse_domain(domain);
  if (!name) return refused(name.error());
  if (std::ranges::find(answers.domains, name->unicode) != answers.domains.end())
    return fail(ErrorKind::usage, fmt::format("the domain {} was given twice", name->unicode));
  Answers changed = answers;
  changed.domains.push_back(name->unicode);
  return accept(answers, std::move(changed));
}

Status set_hostname(Answers& answers, std::string_view hostname) {
  auto name = spec::parse_hostname(hostname);
  if (!name) return refused(name.error());
  Answers changed = answers;
  changed.hostname = *std::move(name);
  return accept(answers, std::move(changed));
}

Status add_person(Answers& answers, std::string_view address) {
  std::string whole(address);
  if (whole.find('@') == std::string::npos && answers.domains.size() == 1)
    whole += "@" + answers.domains.front();
  const auto parsed = spec::parse_address(whole);
  if (!parsed) return refused(parsed.error());
  const auto domain = spec::parse_domain(parsed->domain);
  if (!domain) return refused(domain.error());
  const std::string name = parsed->local + "@" + domain->unicode;
  if (std::ranges::find(answers.people, name, &Person::address) != answers.people.end())
    return fail(ErrorKind::usage, fmt::format("the address {} was given twice", name));
  Answers changed = answers;
  changed.people.push_back({name, {}});
  return accept(answers, std::move(changed));
}

Status set_network(Answers& answers, std::vector<std::string> addresses, std::vector<std::string> gateways) {
  Answers changed = answers;
  changed.addresses = std::move(addresses);
  changed.gateways = std::move(gateways);
  return accept(answers, std::move(changed));
}

Status add_ssh_keys(Answers& answers, std::string_view key_or_file) {
  if (looks_like_key(key_or_file)) return add_ssh_key(answers, std::string(key_or_file));
  return add_keys_of_file(answers, with_home(key_or_file));
}

Status set_time_zone(Answers& answers, std::string_view time_zone) {
  Answers changed = answers;
  changed.time_zone = time_zone;
  return accept(answers, std::move(changed));
}

}  // namespace mailstead::init
