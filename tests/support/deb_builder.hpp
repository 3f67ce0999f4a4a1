// SPDX-License-Identifier: GPL-3.0-or-later
// Packages for tests, made from literals. The tar headers are written by hand, so that the reader under test
// meets bytes that its own library has not produced, and so that a test can make what no honest tool would.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailstead::test {

/// One entry of a tar, as it is: nothing is checked.
struct TarEntry {
  std::string path;
  std::string content;
  char type = '0';  ///< '0' file, '1' hard link, '2' symlink, '3' '4' devices, '5' directory, '6' pipe
  unsigned mode = 0644;
  std::string target;
  unsigned uid = 0;
  unsigned gid = 0;
  std::int64_t mtime = 1'700'000'000;
  std::vector<std::pair<std::string, std::string>> xattrs;    ///< written as SCHILY.xattr.* of a pax header
  std::vector<std::pair<std::string, std::string>> pax = {};  ///< other records of it
};

inline TarEntry file(std::string path, std::string content, unsigned mode = 0644) {
  return {.path = std::move(path),
          .content = std::move(content),
          .type = '0',
          .mode = mode,
          .target = {},
          .xattrs = {}};
}
inline TarEntry directory(std::string path, unsigned mode = 0755) {
  return {.path = std::move(path), .content = {}, .type = '5', .mode = mode, .target = {}, .xattrs = {}};
}
inline TarEntry symbolic_link(std::string path, std::string target) {
  return {.path = std::move(path),
          .content = {},
          .type = '2',
          .mode = 0777,
          .target = std::move(target),
          .xattrs = {}};
}
inline TarEntry hard_link(std::string path, std::string target) {
  return {.path = std::move(path),
          .content = {},
          .type = '1',
          .mode = 0644,
          .target = std::move(target),
          .xattrs = {}};
}

inline std::string tar_header(const TarEntry& entry, std::string_view path, char type, std::size_t size) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t offset, std::size_t width, std::string_view text) {
    header.replace(offset, std::min(width, text.size()), text.substr(0, width));
  };
  const auto octal = [&](std::size_t offset, int width, std::uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "%0*llo", width - 1, static_cast<unsigned long long>(value));
    put(offset, static_cast<std::size_t>(width), text);
  };
  put(0, 100, path);
  octal(100, 8, entry.mode);
  octal(108, 8, entry.uid);
  octal(116, 8, entry.gid);
  octal(124, 12, size);
  octal(136, 12, static_cast<std::uint64_t>(entry.mtime));
  put(148, 8, "        ");
  header[156] = type;
  put(157, 100, entry.target);
  put(257, 8, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  octal(148, 7, sum);
  return header;
}

inline std::string padded(std::string data) {
  data.resize((data.size() + 511) / 512 * 512, '\0');
  return data;
}

/// A record of a pax header (pax(1), "pax Extended Header").
inline std::string pax_record(const std::string& key, const std::string& value) {
  const std::string body = " " + key + "=" + value + "\n";
  // The length counts itself.
  std::size_t length = body.size() + 1;
  while (std::to_string(length).size() + body.size() != length) ++length;
  return std::to_string(length) + body;
}

/// What tells of a path or target that no header has room for: GNU's long names.
inline std::string long_name(char type, const std::string& name) {
  const std::string content = name + '\0';
  return tar_header({}, "././@LongLink", type, content.size()) + padded(content);
}

/// A ustar archive; paths and targets above 100 bytes get GNU long names, extended attributes pax headers.
inline std::string make_tar(const std::vector<TarEntry>& entries) {
  std::string tar;
  for (const TarEntry& entry : entries) {
    std::string records;
    for (const auto& [name, value] : entry.xattrs) records += pax_record("SCHILY.xattr." + name, value);
    for (const auto& [key, value] : entry.pax) records += pax_record(key, value);
    if (!records.empty()) tar += tar_header({}, "PaxHeader", 'x', records.size()) + padded(records);
    if (entry.path.size() > 100) tar += long_name('L', entry.path);
    if (entry.target.size() > 100) tar += long_name('K', entry.target);
    tar += tar_header(entry, entry.path, entry.type, entry.content.size()) + padded(entry.content);
  }
  return tar + std::string(1024, '\0');
}

enum class Compression { none, gz, xz, zst };

inline std::string compress(const std::string& data, Compression compression) {
  if (compression == Compression::none) return data;
  std::string out(data.size() + data.size() / 100 + 65536, '\0');
  std::size_t used = 0;
  archive* writer = archive_write_new();
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  const int filter = compression == Compression::gz   ? archive_write_add_filter_gzip(writer)
                     : compression == Compression::xz ? archive_write_add_filter_xz(writer)
                                                      : archive_write_add_filter_zstd(writer);
  const bool done =
      filter == ARCHIVE_OK && archive_write_set_format_raw(writer) == ARCHIVE_OK &&
      archive_write_set_bytes_in_last_block(writer, 1) == ARCHIVE_OK &&
      archive_write_open_memory(writer, out.data(), out.size(), &used) == ARCHIVE_OK &&
      archive_write_header(writer, entry) == ARCHIVE_OK &&
      archive_write_data(writer, data.data(), data.size()) == static_cast<la_ssize_t>(data.size()) &&
      archive_write_close(writer) == ARCHIVE_OK;
  archive_entry_free(entry);
  archive_write_free(writer);
  if (!done) throw std::runtime_error("cannot compress");
  out.resize(used);
  return out;
}

inline std::string_view suffix(Compression compression) {
  switch (compression) {
    case Compression::none:
      return "";
    case Compression::gz:
      return ".gz";
    case Compression::xz:
      return ".xz";
    case Compression::zst:
      return ".zst";
  }
  throw std::logic_error("compression");
}

/// A member of an ar archive with its header, padded to an even length.
inline std::string ar_member(std::string_view name, const std::string& data) {
  char header[61];
  std::snprintf(header, sizeof header, "%-16.16s%-12d%-6d%-6d%-8o%-10zu`\n", std::string(name).c_str(), 0, 0,
                0, 0100644u, data.size());
  std::string member = std::string(header, 60) + data;
  if (data.size() % 2 != 0) member += '\n';
  return member;
}

/// What a test package is made of.
struct Deb {
  std::string name = "hello";
  std::string version = "1.0-1";
  std::string architecture = "amd64";
  std::string more_fields;  ///< further lines of the control file, each ending in a newline
  std::vector<std::pair<std::string, std::string>> control_files;  ///< "postinst" and its text, …
  std::vector<TarEntry> entries;
  Compression compression = Compression::none;
};

inline std::string make_deb(const Deb& deb) {
  std::vector<TarEntry> control = {
      directory("./"), file("./control", "Package: " + deb.name + "\nVersion: " + deb.version +
                                             "\nArchitecture: " + deb.architecture + "\n" + deb.more_fields +
                                             "Description: a test package\n of two lines\n")};
  for (const auto& [name, text] : deb.control_files) control.push_back(file("./" + name, text, 0755));
  const std::string end(suffix(deb.compression));
  return "!<arch>\n" + ar_member("debian-binary", "2.0\n") +
         ar_member("control.tar" + end, compress(make_tar(control), deb.compression)) +
         ar_member("data.tar" + end, compress(make_tar(deb.entries), deb.compression));
}

/// Writes bytes to `folder`/`name` and returns the path.
inline std::filesystem::path write_bytes(const std::filesystem::path& folder, const std::string& name,
                                         const std::string& bytes) {
  const auto path = folder / name;
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) throw std::runtime_error("cannot write " + path.string());
  return path;
}

}  // namespace mailstead::test
