// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/lock_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <tuple>

#include "base/files.hpp"
#include "base/program.hpp"
#include "base/run.hpp"
#include "crypto/digest.hpp"
#include "lock/grammar.hpp"
#include "lock/text.hpp"

namespace mailstead::lock {
namespace {

constexpr std::string_view kFormatLine = "mailstead-lock 1";
std::string remedy() {
  return fmt::format("`{}` writes a new one", own_command({"lock", "SPEC", "--update"}));
}
constexpr std::uint64_t kLargestPackage = 4'000'000'000;

/// The name of a user or a group.
bool is_account_name(std::string_view text) {
  return text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, number);
  return error == std::errc() && stop == end && (text == "0" || !text.starts_with('0'));
}

std::string roles_text(const Roles& roles) {
  std::string text;
  const auto add = [&text](bool has, std::string_view name) {
    if (!has) return;
    if (!text.empty()) text += ',';
    text += name;
  };
  add(roles.system, "system");
  add(roles.initrd, "initrd");
  add(roles.tool, "tool");
  add(roles.boot, "boot");
  return text;
}

/// Only the spelling that roles_text writes is accepted, so that equal locks are equal files.
bool read_roles(std::string_view text, Roles& roles) {
  for (int bits = 1; bits < 16; ++bits) {
    roles = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    if (roles_text(roles) == text) return true;
  }
  return false;
}

/// Reads line by line; a handler returns what is wrong with its line, or an empty text.
class Parser {
 public:
  explicit Parser(std::string name) : name_(std::move(name)) {}

  Result<Lock> parse(std::string_view text) {
    bool format_seen = false;
    for (const auto line : split_lines(text)) {
      ++line_number_;
      line_ = line;
      if (line.starts_with('#')) continue;
      if (line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>")) {
        return error("this is an unresolved merge conflict",
                     fmt::format("take either side and run `{}`", own_command({"lock", "SPEC", "--update"})));
      }
      if (!format_seen) {
        if (line != kFormatLine) {
          return error(line.starts_with("mailstead-lock ")
                           ? "this lock has a format that this version of mailstead does not know"
                           : "this is not a lock: it does not begin with 'mailstead-lock 1'",
                       remedy());
        }
        format_seen = true;
        add_to_body(line);
        continue;
      }
      const auto words = split_words(line);
      if (words.empty() || words[0] != "end") add_to_body(line);
      if (ended_) return error("something follows the end of the lock", remedy());
      const std::string problem = words.empty() ? "an empty line does not belong here" : read(words);
      if (!problem.empty()) return error(problem, remedy());
    }
    line_ = {};
    if (!format_seen) return error("the lock is empty", remedy());
    return finish();
  }

 private:
  using Words = std::vector<std::string_view>;

  tl::unexpected<Error> error(std::string message, std::string hint) const {
    Error result{ErrorKind::usage, std::move(message), {}, std::move(hint), {}, {}};
    Place place{name_, std::max(line_number_, 1), 1, 1, {}};
    // Lines from outside may hold anything; only printable ones are shown.
    if (line_.size() <= 400 &&
        std::all_of(line_.begin(), line_.end(), [](char c) { return c >= ' ' && c < 127; })) {
      place.source_line = line_;
    }
    result.place = std::move(place);
    return fail(std::move(result));
  }

  std::string read(const Words& words) {
    const std::string_view key = words[0];
    if (key == "suite") return read_name(words, lock_.suite);
    if (key == "architecture") return read_name(words, lock_.architecture);
    if (key == "host-architecture") return read_name(words, lock_.host_architecture);
    if (key == "archive-time") return read_time(words);
    if (key == "request") return read_request(words);
    if (key == "ask-system") return read_asked(words, lock_.requested_system);
    if (key == "ask-initrd") return read_asked(words, lock_.requested_initrd);
    if (key == "ask-tool") return read_asked(words, lock_.requested_tools);
    if (key == "ask-boot") return read_asked(words, lock_.requested_boot);
    if (key == "user") return read_id(words, lock_.users);
    if (key == "group") return read_id(words, lock_.groups);
    if (key == "package") return read_package(words);
    // Without an end, a lock that lost its tail would be a smaller lock; without a digest there, one that
    // lost a dependency in a merge would be one, too.
    if (key == "end" && words.size() <= 2) {
      ended_ = true;
      if (words.size() == 2) digest_ = words[1];
      return {};
    }
    return "unknown entry";
  }

  std::string read_name(const Words& words, std::string& field) {
    if (!field.empty()) return "this entry is listed twice";
    if (words.size() != 2 || !is_plain_name(words[1]))
      return "a name of small letters, digits and dashes is expected";
    field = words[1];
    return {};
  }

  std::string read_time(const Words& words) {
    if (lock_.archive_time != 0) return "this entry is listed twice";
    if (words.size() != 2 || !read_number(words[1], lock_.archive_time) ||
        !is_archive_time(lock_.archive_time)) {
      return "the archive's time is not a possible one (seconds since 1970)";
    }
    return {};
  }

  std::string read_request(const Words& words) {
    if (!lock_.request_digest.empty()) return "this entry is listed twice";
    if (words.size() != 2 || !crypto::is_sha256_hex(words[1]))
      return "a digest of 64 hexadecimal digits is expected";
    lock_.request_digest = words[1];
    return {};
  }

  std::string read_asked(const Words& words, std::vector<std::string>& list) {
    if (words.size() != 2 || !is_package_name(words[1])) return "a package name is expected";
    if (!list.empty() && !(list.back() < words[1]))
      return "the entries are not sorted, or one is listed twice";
    list.emplace_back(words[1]);
    return {};
  }

  std::string read_id(const Words& words, std::vector<FixedId>& list) {
    FixedId id;
    if (words.size() != 3 || !is_account_name(words[1]) || !read_number(words[2], id.id) ||
        id.id == std::numeric_limits<std::uint32_t>::max()) {
      return "a name and a number below 4294967295 are expected";
    }
    id.name = words[1];
    if (!list.empty() && !(list.back().name < id.name))
      return "the entries are not sorted, or one is listed twice";
    list.push_back(std::move(id));
    return {};
  }

  std::string read_package(const Words& words) {
    if (words.size() != 9) {
      return "a package needs name, version, architecture, archive, path, size, SHA-256 and roles";
    }
    Package package;
    package.name = words[1];
    package.version = words[2];
    package.architecture = words[3];
    package.archive = words[4];
    package.pool_path = words[5];
    package.sha256 = words[7];
    if (!is_package_name(package.name)) return "the package's name cannot be one";
    if (!is_version(package.version)) return "the package's version cannot be one";
    if (!is_plain_name(package.architecture)) return "the package's architecture cannot be one";
    if (!is_archive(package.archive)) return "the archive is neither 'debian' nor 'debian-security'";
    if (!is_pool_path(package.pool_path)) return "the package's path is not a .deb file below pool/";
    if (!read_number(words[6], package.size) || package.size == 0 || package.size > kLargestPackage) {
      return "the package's size is not a possible one";
    }
    if (!crypto::is_sha256_hex(package.sha256)) return "the package's SHA-256 is not 64 hexadecimal digits";
    if (!read_roles(words[8], package.roles)) return "the package's roles are not of system,initrd,tool,boot";
    if (!lock_.packages.empty()) {
      const Package& last = lock_.packages.back();
      if (std::tie(package.name, package.architecture) <= std::tie(last.name, last.architecture)) {
        return "the packages are not sorted, or one is listed twice";
      }
    }
    lock_.packages.push_back(std::move(package));
    return {};
  }

  void add_to_body(std::string_view line) {
    body_.update(line);
    body_.update("\n");
  }

  Result<Lock> finish() {
    const auto missing = [this](std::string_view what) {
      return error(fmt::format("the lock ends without '{}'", what), remedy());
    };
    if (lock_.suite.empty()) return missing("suite");
    if (lock_.architecture.empty()) return missing("architecture");
    if (lock_.host_architecture.empty()) return missing("host-architecture");
    if (lock_.archive_time == 0) return missing("archive-time");
    if (lock_.request_digest.empty()) return missing("request");
    if (lock_.packages.empty()) return missing("package");
    if (!ended_) return missing("end");
    if (digest_ != crypto::to_hex(body_.finish())) {
      return error("the lock has been changed by hand: the digest in its last line is not that of the others",
                   remedy());
    }
    for (const auto& package : lock_.packages) {
      const auto fits = [&](bool has_role, const std::string& architecture) {
        return !has_role || package.architecture == "all" || package.architecture == architecture;
      };
      if (!fits(package.roles.system || package.roles.initrd || package.roles.boot, lock_.architecture) ||
          !fits(package.roles.tool, lock_.host_architecture)) {
        return error(
            fmt::format("package {} is for {}, which its roles are not", package.name, package.architecture),
            remedy());
      }
    }
    if (request_digest(request_of(lock_)) != lock_.request_digest) {
      return error(
          "what the lock says was asked for does not match its own digest: it has been changed by hand",
          remedy());
    }
    return std::move(lock_);
  }

  std::string name_;
  int line_number_ = 0;
  std::string_view line_;
  bool ended_ = false;
  crypto::Sha256 body_;
  std::string digest_;  ///< what the lock says body_ has
  Lock lock_;
};

std::vector<FixedId> sorted(std::vector<FixedId> ids) {
  std::sort(ids.begin(), ids.end(), [](const FixedId& a, const FixedId& b) { return a.name < b.name; });
  return ids;
}

}  // namespace

std::filesystem::path lock_path_for(const std::filesystem::path& spec) {
  return spec.parent_path() / "mailstead.lock";
}

std::string format_lock(const Lock& lock) {
  const std::string comment =
      "# Made by `mailstead lock`; belongs in version control. Do not edit: `mailstead lock --update` moves "
      "it on.\n";
  std::string text = fmt::format(
      "{}\nsuite {}\narchitecture {}\nhost-architecture {}\narchive-time {}\nrequest {}\n", kFormatLine,
      lock.suite, lock.architecture, lock.host_architecture, lock.archive_time, lock.request_digest);
  for (const auto& name : lock.requested_system) text += fmt::format("ask-system {}\n", name);
  for (const auto& name : lock.requested_initrd) text += fmt::format("ask-initrd {}\n", name);
  for (const auto& name : lock.requested_tools) text += fmt::format("ask-tool {}\n", name);
  for (const auto& name : lock.requested_boot) text += fmt::format("ask-boot {}\n", name);
  for (const auto& user : sorted(lock.users)) text += fmt::format("user {} {}\n", user.name, user.id);
  for (const auto& group : sorted(lock.groups)) text += fmt::format("group {} {}\n", group.name, group.id);
  for (const auto& package : lock.packages) {
    text += fmt::format("package {} {} {} {} {} {} {} {}\n", package.name, package.version,
                        package.architecture, package.archive, package.pool_path, package.size,
                        package.sha256, roles_text(package.roles));
  }
  return comment + text + fmt::format("end {}\n", crypto::sha256_hex(text));
}

Result<Lock> parse_lock(std::string_view text, const std::string& name) {
  return Parser(name).parse(text);
}

namespace {

/// The file beside a lock is easily taken for it.
Status refuse_spec(const std::filesystem::path& file, const std::string& text) {
  if (!text.starts_with("mailstead:") && text.find("\nmailstead:") == std::string::npos) return ok();
  const std::filesystem::path lock = lock_path_for(file);
  std::error_code error;
  return fail(ErrorKind::usage, fmt::format("{} is a spec, not a lock", file.string()),
              std::filesystem::exists(lock, error) && lock != file
                  ? fmt::format("name the lock beside it: {}", lock.string())
                  : fmt::format("make a lock with `{}`", own_command({"lock", file.string()})));
}

}  // namespace

Result<Lock> load_lock(const std::filesystem::path& path) {
  TRY(const auto text, read_file(path, 16u << 20));
  CHECK_OK(refuse_spec(path, text));
  TRY(Lock lock, parse_lock(text, path.string()));
  lock.text_sha256 = crypto::sha256_hex(text);
  return lock;
}

Status save_lock(const std::filesystem::path& path, const Lock& lock) {
  return write_file(path, format_lock(lock));
}

}  // namespace mailstead::lock
