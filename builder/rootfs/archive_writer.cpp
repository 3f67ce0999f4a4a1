// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/archive_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace mailstead::rootfs {

namespace {

// Written by hand and not through libarchive, which translates names from the locale of the process and
// either changes bytes with it or adds a header to every entry.

constexpr std::size_t kBlock = 1 << 20;
constexpr std::size_t kTarBlock = 512;
constexpr std::size_t kNameField = 100;
constexpr std::uint64_t kMaxOctal8 = 07777777;       // seven digits and a NUL
constexpr std::uint64_t kMaxOctal12 = 077777777777;  // eleven digits and a NUL

/// Collects bytes into big blocks for a sink.
class Output {
 public:
  explicit Output(const Sink& sink) : sink_(sink) { buffer_.reserve(kBlock); }

  Status write(std::string_view data) {
    total_ += data.size();
    if (buffer_.size() + data.size() > kBlock) CHECK_OK(flush());
    if (data.size() >= kBlock) return sink_(data.data(), data.size());
    buffer_ += data;
    return ok();
  }
  Status write(const Content& content) {
    return content.stream([this](const char* data, std::size_t size) { return write({data, size}); });
  }
  /// Zeros up to a multiple of `alignment`.
  Status align(std::size_t alignment) {
    const std::size_t rest = total_ % alignment;
    return rest == 0 ? ok() : write(std::string(alignment - rest, '\0'));
  }
  Status flush() {
    if (buffer_.empty()) return ok();
    auto status = sink_(buffer_.data(), buffer_.size());
    buffer_.clear();
    return status;
  }

 private:
  const Sink& sink_;
  std::string buffer_;
  std::uint64_t total_ = 0;
};

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Linux has no modes on symlinks: whatever a package says, they are all 0777.
std::uint32_t mode_of(const Inode& inode) {
  return inode.type == FileType::symlink ? 0777 : inode.mode;
}

/// What one ustar header says (POSIX.1-2001, pax, "ustar Interchange Format").
struct TarHeader {
  std::string_view name;
  std::string_view link_name;
  char type = '0';
  std::uint64_t mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::uint64_t size = 0;
  std::uint64_t mtime = 0;
};

std::string ustar_block(const TarHeader& header) {
  std::string block(kTarBlock, '\0');
  const auto put = [&](std::size_t offset, std::string_view text) {
    block.replace(offset, text.size(), text);
  };
  put(0, header.name.substr(0, kNameField));
  put(100, fmt::format("{:07o}", header.mode));
  put(108, fmt::format("{:07o}", std::min(header.uid, kMaxOctal8)));
  put(116, fmt::format("{:07o}", std::min(header.gid, kMaxOctal8)));
  put(124, fmt::format("{:011o}", std::min(header.size, kMaxOctal12)));
  put(136, fmt::format("{:011o}", std::min(header.mtime, kMaxOctal12)));
  put(148, "        ");
  block[156] = header.type;
  put(157, header.link_name.substr(0, kNameField));
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return block;
}

/// "length keyword=value\n", where the length counts itself.
std::string pax_record(std::string_view keyword, std::string_view value) {
  const std::size_t rest = 1 + keyword.size() + 1 + value.size() + 1;
  std::size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return fmt::format("{} {}={}\n", length, keyword, value);
}

/// What does not fit into the ustar header.
std::string pax_records(const TarHeader& header, const Inode* attributes, Origins origins) {
  std::string records;
  const bool long_name = header.name.size() > kNameField;
  const bool long_link = header.link_name.size() > kNameField;
  // Names are bytes; without this, readers take them for UTF-8 and may translate or normalise them.
  if ((long_name && !is_ascii(header.name)) || (long_link && !is_ascii(header.link_name))) {
    records += pax_record("hdrcharset", "BINARY");
  }
  if (long_name) records += pax_record("path", header.name);
  if (long_link) records += pax_record("linkpath", header.link_name);
  if (header.uid > kMaxOctal8) records += pax_record("uid", std::to_string(header.uid));
  if (header.gid > kMaxOctal8) records += pax_record("gid", std::to_string(header.gid));
  if (header.size > kMaxOctal12) records += pax_record("size", std::to_string(header.size));
  if (header.mtime > kMaxOctal12) records += pax_record("mtime", std::to_string(header.mtime));
  if (attributes == nullptr) return records;
  for (const auto& [name, value] : attributes->xattrs) records += pax_record("SCHILY.xattr." + name, value);
  if (origins == Origins::keep && !attributes->origin.empty()) {
    records += pax_record(fmt::format("SCHILY.xattr.{}", kOriginAttribute), attributes->origin);
  }
  return records;
}

Status write_tar_entry(Output& output, const TarHeader& header, const Inode* attributes, Origins origins) {
  if (const std::string records = pax_records(header, attributes, origins); !records.empty()) {
    CHECK_OK(output.write(ustar_block(
        {.name = "PaxHeader", .link_name = {}, .type = 'x', .mode = 0644, .size = records.size()})));
    CHECK_OK(output.write(records));
    CHECK_OK(output.align(kTarBlock));
  }
  return output.write(ustar_block(header));
}

std::string cpio_header(std::string_view name, const Inode& inode, std::uint64_t number, std::uint64_t links,
                        std::uint64_t size) {
  std::uint32_t mode = mode_of(inode);
  switch (inode.type) {
    case FileType::directory:
      mode |= 0040000;
      break;
    case FileType::regular:
      mode |= 0100000;
      break;
    case FileType::symlink:
      mode |= 0120000;
      break;
  }
  const std::array<std::uint64_t, 13> fields = {number,
                                                mode,
                                                inode.uid,
                                                inode.gid,
                                                links,
                                                static_cast<std::uint64_t>(inode.mtime),
                                                size,
                                                0,
                                                0,
                                                0,
                                                0,
                                                name.size() + 1,  // with its NUL
                                                0};
  std::string header = "070701";
  for (const std::uint64_t field : fields) header += fmt::format("{:08X}", field);
  header += name;
  header += '\0';
  return header;
}

Status check_limits(const std::string& path, const Inode& inode, std::uint64_t limit) {
  if (inode.mtime >= 0 && static_cast<std::uint64_t>(inode.mtime) <= limit && inode.content.size() <= limit)
    return ok();
  return fail(ErrorKind::internal,
              fmt::format("'{}' has a time or size that the archive format does not have", path));
}

/// How many names a regular file has in a tree, how many are written, and its number. Looked up by address,
/// never listed: the order of addresses does not show.
struct Links {
  std::uint32_t count = 0;
  std::uint32_t written = 0;
  std::uint64_t number = 0;
};

}  // namespace

Status write_tar(const FileTree& tree, const Sink& sink, Origins origins) {
  Output output(sink);
  std::map<const Inode*, std::string_view> first_names;  // looked up only, never iterated
  for (const auto& [path, inode] : tree) {
    CHECK_OK(check_limits(path, *inode, std::uint64_t{1} << 62));
    TarHeader header{.name = path,
                     .link_name = {},
                     .type = '0',
                     .mode = mode_of(*inode),
                     .uid = inode->uid,
                     .gid = inode->gid,
                     .size = 0,
                     .mtime = static_cast<std::uint64_t>(inode->mtime)};
    std::string name_of_directory;
    switch (inode->type) {
      case FileType::directory:
        header.type = '5';
        name_of_directory = path + "/";  // what readers older than ustar go by
        header.name = name_of_directory;
        break;
      case FileType::symlink:
        header.type = '2';
        header.link_name = inode->target;
        break;
      case FileType::regular:
        if (inode.use_count() > 1) {
          const auto [first, added] = first_names.emplace(inode.get(), path);
          if (!added) {
            header.type = '1';
            header.link_name = first->second;
            CHECK_OK(write_tar_entry(output, header, nullptr, origins));
            continue;
          }
        }
        header.size = inode->content.size();
        break;
    }
    CHECK_OK(write_tar_entry(output, header, inode.get(), origins));
    if (header.size > 0) {
      CHECK_OK(output.write(inode->content));
      CHECK_OK(output.align(kTarBlock));
    }
  }
  CHECK_OK(output.write(std::string(2 * kTarBlock, '\0')));
  return output.flush();
}

Status write_cpio(const FileTree& tree, const Sink& sink) {
  Output output(sink);
  std::map<const Inode*, Links> links;  // looked up only, never iterated
  for (const auto& [path, inode] : tree) {
    if (inode->type == FileType::regular && inode.use_count() > 1) ++links[inode.get()].count;
  }
  std::uint64_t next_number = 1;
  for (const auto& [path, inode] : tree) {
    CHECK_OK(check_limits(path, *inode, 0xffffffff));
    std::uint64_t number = 0;
    std::uint64_t count = inode->type == FileType::directory ? 2 : 1;
    bool has_content = inode->type == FileType::regular;
    if (const auto link = links.find(inode.get()); link != links.end() && link->second.count > 1) {
      if (link->second.number == 0) link->second.number = next_number++;
      number = link->second.number;
      count = link->second.count;
      has_content = ++link->second.written == link->second.count;
    } else {
      number = next_number++;
    }
    const std::uint64_t size = inode->type == FileType::symlink ? inode->target.size()
                               : has_content                    ? inode->content.size()
                                                                : 0;
    CHECK_OK(output.write(cpio_header(path, *inode, number, count, size)));
    CHECK_OK(output.align(4));
    if (inode->type == FileType::symlink) CHECK_OK(output.write(inode->target));
    if (has_content) CHECK_OK(output.write(inode->content));
    CHECK_OK(output.align(4));
  }
  Inode end;
  end.mode = 0;
  std::string trailer = cpio_header("TRAILER!!!", end, 0, 1, 0);
  trailer.replace(14, 8, "00000000");  // no type either
  CHECK_OK(output.write(trailer));
  CHECK_OK(output.align(kTarBlock));
  return output.flush();
}

}  // namespace mailstead::rootfs
