// SPDX-License-Identifier: GPL-3.0-or-later
#include "init/create.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <string_view>
#include <system_error>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/program.hpp"
#include "base/run.hpp"
#include "keys/keys.hpp"
#include "keys/store.hpp"
#include "spec/load.hpp"

namespace mailstead::init {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGitIgnore = ".gitignore";
/// Private keys, and images, which hold them too, with what their tests leave.
constexpr const char* kIgnored = "/secrets/\n*.img\n*.img.test/\n";

/// Without a slash at the end, behind which a folder would have no name.
fs::path clean(const fs::path& folder) {
  std::error_code error;  // the current folder is gone: what follows finds that, too
  fs::path whole = fs::absolute(folder, error).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

Status require_writable(const fs::path& folder) {
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return ok();
  return fail(ErrorKind::usage, fmt::format("you may not write to the folder {}", folder.string()),
              "name a folder of your own");
}

Status move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return ok();
  return fail(ErrorKind::io, fmt::format("cannot create {}: {}", to.string(), error.message()));
}

/// Moves the site's parts into a folder that exists, and takes them out again if one fails. The keys come
/// first: a folder replaces no other that has something in it, so that of two who do this at once one fails.
/// The spec comes last.
Status move_parts(const fs::path& made, const fs::path& folder) {
  std::vector<fs::path> moved;
  for (const std::string_view part :
       {std::string_view(spec::kSecrets), kGitIgnore, std::string_view(kSpec)}) {
    if (part == kGitIgnore && keys::name_taken(folder / part)) continue;
    if (Status done = move(made / part, folder / part); !done) {
      std::error_code ignored;
      for (const fs::path& path : moved) fs::remove_all(path, ignored);
      return done;
    }
    moved.push_back(folder / part);
  }
  return ok();
}

}  // namespace

Status check_place(const fs::path& folder) {
  const fs::path place = clean(folder);
  if (!keys::name_taken(place)) {
    std::error_code error;
    if (!fs::is_directory(place.parent_path(), error))
      return fail(
          ErrorKind::usage, fmt::format("the folder {} does not exist", place.parent_path().string()),
          fmt::format("make it with `{}`", shell_quote({"mkdir", "-p", place.parent_path().string()})));
    return require_writable(place.parent_path());
  }
  std::error_code error;
  if (!fs::is_directory(place, error))
    return fail(ErrorKind::usage, fmt::format("{} is not a folder", folder.string()), "name another one");
  if (const fs::path spec = folder / kSpec; keys::name_taken(spec))
    return fail(
        ErrorKind::usage, fmt::format("there is a spec already: {}", spec.string()),
        fmt::format("edit it and run `{}`, or name another folder", own_command({"check", spec.string()})));
  if (const fs::path secrets = folder / spec::kSecrets; keys::name_taken(secrets))
    return fail(ErrorKind::usage,
                fmt::format("there are keys already, of another site: {}", secrets.string()),
                "move them away, or name another folder");
  return require_writable(place);
}

Result<std::size_t> create_site(const fs::path& folder, const Answers& answers) {
  CHECK_OK(check_place(folder));
  const fs::path place = clean(folder);
  const bool exists = keys::name_taken(place);
  // In the same file system, so that moving is renaming.
  TRY(const TemporaryDirectory made, TemporaryDirectory::create(exists ? place : place.parent_path()));
  CHECK_OK(write_file(made.path() / kSpec, spec_text(answers), 0600));
  CHECK_OK(write_file(made.path() / kGitIgnore, kIgnored));
  TRY(const spec::Site site, spec::load_site(made.path() / kSpec));
  TRY(const auto keys, keys::make_missing_keys(site));
  CHECK_OK(check_interrupt());
  CHECK_OK(exists ? move_parts(made.path(), place) : move(made.path(), place));
  return keys.size();
}

}  // namespace mailstead::init
