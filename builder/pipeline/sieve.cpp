// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/sieve.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "base/run.hpp"
#include "tools/complete.hpp"
#include "tools/scratch.hpp"

namespace mailstead::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr int kNotCompiled = 89;  // FATAL_DEFAULT in Dovecot's lib/failures.h

std::vector<const spec::Account*> accounts_with_scripts(const spec::Site& site) {
  std::vector<const spec::Account*> accounts;
  for (const spec::Account& account : site.accounts) {
    if (account.sieve) accounts.push_back(&account);
  }
  return accounts;
}

std::string_view nth_line(std::string_view text, int number) {
  for (; number > 1; --number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// "7: rest" gives 7 and leaves the rest; 0 if it does not begin with a number.
int take_number(std::string_view& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

Error error_at(const spec::Account& account, int line, std::string_view text) {
  Error error{ErrorKind::usage, {}, account.sieve_place, {}, {}, {}};
  const std::string whose = fmt::format("the sieve script of {}", account.address.text());
  if (account.sieve_file.empty() || line == 0) {
    error.message =
        line == 0 ? fmt::format("{}: {}", whose, text) : fmt::format("line {} of {}: {}", line, whose, text);
    return error;
  }
  const fs::path spec = account.sieve_place ? account.sieve_place->file : std::string();
  error.message = fmt::format("{}: {}", whose, text);
  error.place = Place{(spec.parent_path() / account.sieve_file).string(), line, 0, 1,
                      std::string(nth_line(*account.sieve, line))};
  return error;
}

/// The part of the base's /usr that sievec needs, in the cache: complete or not there.
Result<fs::path> get_compiler(const BaseInput& input, const Base& base) {
  const fs::path all = input.platform.cache / "sieve";
  fs::path home = all / base.usr.root_hash;
  if (tools::is_complete(home / "usr")) {
    tools::touch(home / "usr" / tools::kMarkName);
    return home;
  }
  CHECK_OK(make_directories(home));
  TRY(const tools::ScratchFolder scratch, tools::ScratchFolder::create(all));
  const fs::path usr = scratch.path() / "usr";
  TRY(const Command unpack,
      input.toolbox.command("unsquashfs", {"-quiet", "-no-progress", "-no-xattrs", "-dest", usr.string(),
                                           base.usr.file.string(), "bin/sievec", "bin/doveconf",
                                           "lib/dovecot", "lib64", "lib/*-linux-gnu/*.so*"}));
  CHECK_OK(run(unpack));
  CHECK_OK(tools::mark_complete(usr));
  std::error_code error;
  if (tools::is_complete(home / "usr")) return home;  // somebody else was faster
  fs::remove_all(home / "usr", error);
  fs::rename(usr, home / "usr", error);
  if (error && !tools::is_complete(home / "usr"))
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", home.string(), error.message()));
  return home;
}

/// Where one run of sievec happens.
struct Workshop {
  fs::path root;       ///< what becomes "/"; shared with other runs
  fs::path scripts;    ///< a folder below root, for this run only
  std::string inside;  ///< the same as seen from inside
};

/// A file whose bytes matter as long as we run. Not write_file, which waits for the disk at each.
Status write_plain(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return ok();
  return fail(ErrorKind::io, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
}

/// Files of the root, which other runs may be reading.
Status keep_file(const fs::path& path, std::string_view text) {
  if (const auto there = read_file(path); there && *there == text) return ok();
  return write_file(path, text);
}

Result<Workshop> furnish(const fs::path& home, const fs::path& scratch) {
  std::error_code error;
  for (const char* name : {"dev", "etc", "tmp"}) CHECK_OK(make_directories(home / name));
  for (const char* name : {"lib", "lib64"}) {
    if (fs::is_symlink(fs::symlink_status(home / name, error))) continue;
    fs::create_directory_symlink(fs::path("usr") / name, home / name, error);
  }
  CHECK_OK(keep_file(home / "dev/null", ""));
  // Without a name for its user, sievec refuses to start: root of the namespace.
  CHECK_OK(keep_file(home / "etc/passwd", "root:x:0:0:root:/:/nonexistent\n"));
  // The versions are those of overlay mail's dovecot.conf, which sets none of sieve's language options.
  CHECK_OK(keep_file(home / "etc/sievec.conf",
                     "dovecot_config_version = 2.4.0\n"
                     "dovecot_storage_version = 2.4.0\n"));
  return Workshop{home, scratch, "/" + scratch.filename().string()};
}

Command sievec(const Workshop& workshop, const std::string& what) {
  Command command;
  if (::geteuid() != 0) command.argv = {"unshare", "--map-root-user"};
  for (const std::string& word :
       {std::string("chroot"), workshop.root.string(), std::string("/usr/bin/sievec"), std::string("-c"),
        std::string("/etc/sievec.conf"), what})
    command.argv.push_back(word);
  return command;
}

std::string script_name(std::size_t number) {
  return fmt::format("{:06}.sieve", number);
}

}  // namespace

std::vector<Error> read_sieve_errors(const spec::Account& account, std::string_view said) {
  std::vector<Error> errors;
  std::string_view summary;
  while (!said.empty()) {
    std::string_view line = said.substr(0, said.find('\n'));
    said.remove_prefix(std::min(said.size(), line.size() + 1));
    constexpr std::string_view kLine = ": line ";
    constexpr std::string_view kError = ": error: ";
    const std::size_t at = line.find(kLine);
    if (at == std::string_view::npos) {
      if (const std::size_t found = line.find(kError); found != std::string_view::npos && summary.empty())
        summary = line.substr(found + kError.size());
      continue;
    }
    line.remove_prefix(at + kLine.size());
    const int number = take_number(line);
    if (number == 0 || !line.starts_with(kError)) continue;
    errors.push_back(error_at(account, number, line.substr(kError.size())));
  }
  if (errors.empty())
    errors.push_back(error_at(account, 0, summary.empty() ? "it does not compile" : summary));
  return errors;
}

Status check_sieve_scripts(const spec::Site& site, const BaseInput& input, const Base& base,
                           Reporter& reporter) {
  const auto accounts = accounts_with_scripts(site);
  if (accounts.empty()) return ok();
  const auto activity = reporter.start("Compiling sieve scripts");
  const auto cannot = [&](const std::string& why) {
    reporter.warning(
        "the sieve scripts could not be compiled on this machine, so a mistake in one would only "
        "show when mail is delivered: " +
        why);
    return ok();
  };
  if (input.lock.architecture != input.lock.host_architecture)
    return cannot(fmt::format("it is not of the architecture {}", input.lock.architecture));
  TRY(const fs::path home, get_compiler(input, base));
  TRY(const tools::ScratchFolder scratch, tools::ScratchFolder::create(home));
  TRY(const Workshop workshop, furnish(home, scratch.path()));
  for (std::size_t i = 0; i < accounts.size(); ++i)
    CHECK_OK(write_plain(workshop.scripts / script_name(i), *accounts[i]->sieve));

  // All at once, as they are right nearly always; it stops at the first wrong one.
  TRY(const CommandOutput all, run_any_status(sievec(workshop, workshop.inside)));
  if (all.exit_status == 0) {
    activity->set_result(fmt::format("{}", accounts.size()));
    return ok();
  }
  if (all.exit_status != kNotCompiled) return cannot(all.err.substr(0, all.err.find('\n')));
  std::vector<Error> errors;
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    TRY(const CommandOutput one, run_any_status(sievec(workshop, workshop.inside + "/" + script_name(i))));
    if (one.exit_status == 0) continue;
    for (Error& error : read_sieve_errors(*accounts[i], one.err)) errors.push_back(std::move(error));
  }
  if (errors.empty()) return fail(ErrorKind::tool, "sievec failed: " + all.err);
  return fail(join_errors(std::move(errors)));
}

}  // namespace mailstead::pipeline
