// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/result.hpp"

namespace mailstead::overlay {

/// A user of the system; its number is fixed for ever.
struct User {
  std::string name;
  std::uint32_t uid = 0;
  std::string group;  ///< primary group, by name
  std::string description;
  std::string home;   ///< "/nonexistent" when it has none
  std::string shell;  ///< "/usr/sbin/nologin" for all but root
  Place place{};      ///< where a manifest declares it
};
struct Group {
  std::string name;
  std::uint32_t gid = 0;
  std::vector<std::string> members;
  Place place{};
};
struct Accounts {
  std::vector<User> users;    ///< sorted by uid
  std::vector<Group> groups;  ///< sorted by gid
};

/// One reviewed package of a file maintainer-scripts.yaml: what its scripts would do, and how that is met
/// here.
struct Review {
  std::string package;               ///< a name, or a glob for kernels: "linux-image-[0-9]*-amd64"
  std::vector<std::string> digests;  ///< rootfs::script_digest() of each reviewed form of its scripts
  std::string does;
  std::string met;
};

/// What others reach on a TCP port, or look for in DNS.
struct Service {
  std::string name;   ///< IANA's: "submissions"
  std::string title;  ///< for people: "IMAPS"
  /// Nothing: never offered, there for what DNS says of it.
  std::optional<std::uint16_t> port;
  std::string when;        ///< a boolean of the context by which it is offered; empty: always
  bool passwords = false;  ///< users log in: who guesses passwords is held off
  std::string srv;         ///< "_submissions": its name in SRV records; empty: it has none
  unsigned srv_priority = 0;
  bool srv_denies = false;  ///< where it is not offered, an SRV record with the target "." says so
};

/// A service as one site has it; without a condition of its own it has that of its overlay.
struct SiteService {
  Service service;
  bool offered = false;
};

/// How far systemd-analyze(1) may find a unit exposed.
struct SandboxBound {
  unsigned exposure = 0;  ///< tenths of a point of 10
  std::string why;        ///< it is not less
};

/// A folder of rootfs-overlays/: a concern of the appliance with all that belongs to it.
struct Overlay {
  std::string name;
  std::filesystem::path folder;
  std::string description;
  std::string when;  ///< a boolean of the context that turns all but usr/ on ("ssh.enabled"); empty: always
  std::vector<std::string> packages;
  std::vector<User> users;  ///< in the order of the manifest, as are the following
  std::vector<Group> groups;
  std::vector<Review> reviews;  ///< sorted by package
  std::vector<Service> services;
  std::map<std::string, SandboxBound> sandbox;  ///< by unit
  struct Attributes {
    std::string path;  ///< relative, or a glob; a trailing slash means that a missing directory is created
    std::optional<std::uint32_t> mode;
    std::string owner = "root";  ///< by name
    std::string group = "root";
    std::string when;  ///< a boolean of the context, without which a site has no such file; empty: always
  };
  std::vector<Attributes> files;
  /// A unit, and a boolean of the context by which it is meant; empty: always.
  struct Unit {
    std::string name;
    std::string when;
  };
  std::vector<Unit> enable;                  ///< linked into /etc as their [Install] section says
  std::vector<Unit> mask;                    ///< linked to /dev/null
  std::map<std::string, std::string> links;  ///< path -> target
  std::vector<std::string> remove;           ///< globs taken out of the tree before the files are laid
};

/// Reads the overlays `names` below `data`/rootfs-overlays, in that order (the form of their manifests is
/// described in rootfs-overlays/README.md). Errors (ErrorKind::usage): no such overlay, a manifest that is
/// wrong, a template below usr/.
Result<std::vector<Overlay>> load_overlays(const std::filesystem::path& data,
                                           const std::vector<std::string>& names);

/// The names of all overlays in `data`/rootfs-overlays, sorted.
std::vector<std::string> overlay_names(const std::filesystem::path& data);

/// The users and groups of all of them. Errors (ErrorKind::usage): a name or a number is there twice, a group
/// or a member is not declared.
Result<Accounts> merge_accounts(const std::vector<Overlay>& overlays);

/// The reviews of all of them.
std::vector<Review> merge_reviews(const std::vector<Overlay>& overlays);

/// The services of all of them, in their order. Errors (ErrorKind::usage): a name or a port is there twice.
Result<std::vector<Service>> merge_services(const std::vector<Overlay>& overlays);

/// Users and groups in words: the same words mean the same bytes.
std::string describe(const Accounts& accounts);

/// A file in the folder of an overlay.
struct OverlayFile {
  std::filesystem::path source;
  std::string path;  ///< in the image, without the suffix .tmpl
  bool is_template = false;
};

/// The files and symlinks of an overlay but its manifest and its reviews, sorted by path.
Result<std::vector<OverlayFile>> list_files(const Overlay& overlay);

/// True for paths that are the same for every site: usr and what is below it.
bool is_public(std::string_view path);

}  // namespace mailstead::overlay
