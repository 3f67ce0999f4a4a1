// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "platform/architecture.hpp"
#include "spec/formats.hpp"
#include "spec/reading.hpp"
#include "spec/time_zones.hpp"

namespace mailstead::spec {
namespace {

using yaml::quote;

void read_version(Reading& reading, const Field& value) {
  const std::uint64_t known = value.key->most;
  const auto version = value.as_integer(reading.problems, 1, 1'000'000);
  if (version && *version != static_cast<std::int64_t>(known)) {
    reading.problems.add(
        value.error(fmt::format("this program knows format {}, not format {}", known, *version),
                    fmt::format("upgrade Mailstead, or write mailstead: {}", known)));
  }
}

void read_hostname(Reading& reading, const Field& value) {
  const auto text = value.as_string(reading.problems);
  if (!text) return;
  reading.site.hostname = reading.accept(parse_hostname(*text), value).value_or("");
  reading.hostname = value;
}

void read_profile(Reading& reading, const Field& value) {
  const auto text = value.as_string(reading.problems);
  if (!text) return;
  const bool plain = std::all_of(text->begin(), text->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (text->size() < value.key->least || text->size() > value.key->most || !plain) {
    reading.problems.add(
        value.error(fmt::format("{} is not the name of a profile", quote(*text)),
                    fmt::format("use a name from the folder profiles/, as {}", platform::kDefaultProfile)));
    return;
  }
  reading.site.profile = *text;
}

void read_time_zone(Reading& reading, const Field& value) {
  const auto text = value.as_string(reading.problems);
  if (!text) return;
  if (is_time_zone(*text)) {
    reading.site.time_zone = *text;
    return;
  }
  reading.problems.add(value.error(
      fmt::format("unknown time zone {}{}", quote(*text), yaml::did_you_mean(*text, time_zones())),
      "use a name like Europe/Berlin or Etc/UTC"));
}

void read_message_size(Reading& reading, const Field& value) {
  reading.site.message_size_limit = reading.size(value).value_or(0);
}

void read_delimiter(Reading& reading, const Field& value) {
  if (const auto number = reading.choice(*value.key, value))
    reading.site.recipient_delimiter = value.key->choices[*number];
}

/// What lies beside a spec and is easily typed instead of it.
Status refuse_other_kind(const std::filesystem::path& file) {
  std::string begin(1024, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  const char* what = nullptr;
  if (begin.starts_with("mailstead-lock ") || begin.find("\nmailstead-lock ") != std::string::npos)
    what = "a lock";
  else if (begin.size() > 520 && begin.compare(512, 8, "EFI PART") == 0)
    what = "a disk image";
  if (what == nullptr) return ok();
  return fail(ErrorKind::usage, fmt::format("{} is {}, not a spec", file.string(), what),
              "name the YAML file that describes the site");
}

Result<Site> read_site(yaml::Document document, const std::filesystem::path& file) {
  // Whoever writes a password where its hash belongs must not find it in the log of a build, whatever else is
  // wrong in its line.
  std::vector<std::string_view> shown;
  for (const Key* key : keys_in("accounts.*"))
    if (!key->secret) shown.push_back(name_of(*key));
  document.conceal_below("accounts", shown);
  TRY(const Fallbacks fallbacks, Fallbacks::make());
  Site site;
  std::error_code failed;
  site.file = std::filesystem::absolute(file, failed).lexically_normal();
  if (failed)
    return fail(ErrorKind::io,
                fmt::format("cannot find the folder of {}: {}", file.string(), failed.message()));
  site.folder = site.file.parent_path();

  yaml::Problems problems;
  Reading reading{problems, site, fallbacks};
  Section spec(reading, document.root());
  const auto read = [&](const Key& key, const auto& reader) {
    if (const auto value = spec.take(key)) reader(reading, *value);
  };
  read(key("mailstead"), read_version);
  read(key("hostname"), read_hostname);
  // By host: several specs may lie in one folder.
  site.tls.certificate = site.folder / kSecrets / "tls" / site.hostname / "cert.pem";
  site.tls.private_key = site.folder / kSecrets / "tls" / site.hostname / "key.pem";
  site.updates.private_key = site.folder / kSecrets / "updates" / site.hostname / "id_ed25519";
  site.updates.public_key = site.folder / kSecrets / "updates" / site.hostname / "id_ed25519.pub";
  read(key("profile"), read_profile);
  read(key("network"), read_network);
  read(key("tls"), read_tls);
  read(key("recipient_delimiter"), read_delimiter);
  read(key("domains"), read_domains);
  read(key("accounts"), read_accounts);
  read(key("aliases"),
       [](Reading& r, const Field& value) { read_shared(r, value, key("aliases.*"), r.routes.aliases); });
  read(key("forwards"),
       [](Reading& r, const Field& value) { read_shared(r, value, key("forwards.*"), r.routes.forwards); });
  read(key("message_size_limit"), read_message_size);
  read(key("ssh"), read_ssh);
  read(key("updates"), read_updates);
  read(key("ports"), read_ports);
  read(key("time_zone"), read_time_zone);
  spec.finish();
  resolve_routes(reading);
  // What was read until then is neither a site nor all of its mistakes.
  CHECK_OK(check_interrupt());
  CHECK_OK(std::move(problems).finish());
  return site;
}

}  // namespace

Result<Site> load_site(const std::filesystem::path& file) {
  TRY(std::string text, read_spec(file));
  return parse_site(std::move(text), file);
}

Result<std::string> read_spec(const std::filesystem::path& file) {
  CHECK_OK(refuse_other_kind(file));
  return yaml::read_text(file);
}

Result<Site> parse_site(std::string text, const std::filesystem::path& file) {
  TRY(yaml::Document document, yaml::Document::parse(std::move(text), file.string()));
  return read_site(std::move(document), file);
}

}  // namespace mailstead::spec
