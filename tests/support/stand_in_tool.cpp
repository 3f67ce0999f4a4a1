// SPDX-License-Identifier: GPL-3.0-or-later
// Stands in for every tool of the locked packages in the test of the golden image. It writes down what it is
// asked to do (name, arguments, environment, input) where the real tool would have written its bytes. An
// image made with it holds what Mailstead decides and nothing that a version of a tool does. Linked
// statically, so that it needs no libraries of the fixture's packages.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr std::streamoff kSector = 512;

/// Paths of the build host, whose temporary folders have random names, are all the same.
std::string without_host_path(const std::string& word) {
  const auto start = word.starts_with('/') ? 0 : word.find("=/") + 1;
  return start == std::string::npos || word.substr(start, 1) != "/" ? word : word.substr(0, start) + "/…";
}

std::string read_all(std::istream& stream) {
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return read_all(file);
}

/// FNV-1a of 64 bits, in hexadecimal digits: it has to change with what it is of, no more.
std::string digest(const std::string& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  std::string digits;
  for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(hash >> shift) & 15];
  return digits;
}

/// A line a file below `folder`, in byte order.
std::string listing(const fs::path& folder) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::string line = entry.path().lexically_relative(folder).string();
    if (entry.is_symlink())
      line += " -> " + without_host_path(fs::read_symlink(entry.path()).string());
    else if (entry.is_regular_file())
      line += " " + digest(bytes_of(entry.path()));
    lines.push_back(line + "\n");
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

class Call {
 public:
  Call(int count, char** words)
      : name_(fs::path(words[0]).filename()), arguments_(words + 1, words + count) {}

  const std::string& name() const { return name_; }
  const std::string& last() const { return arguments_.back(); }
  /// What follows the option, or what it has after its '='.
  std::string option(const std::string& option) const {
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      if (arguments_[i] == option && i + 1 < arguments_.size()) return arguments_[i + 1];
      if (arguments_[i].starts_with(option + "=")) return arguments_[i].substr(option.size() + 1);
    }
    std::cerr << name_ << " was not given " << option << "\n";
    std::exit(1);
  }
  std::string argument(std::size_t number) const { return arguments_.at(number); }

  std::string text() const {
    std::string said = name_;
    for (const std::string& argument : arguments_) said += " " + without_host_path(argument);
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable)
      variables.push_back(without_host_path(*variable));
    std::sort(variables.begin(), variables.end());
    for (const std::string& variable : variables) said += "\n  " + variable;
    return said + "\n";
  }

 private:
  std::string name_;
  std::vector<std::string> arguments_;
};

void write_new(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void write_at(const fs::path& path, std::streamoff offset, const std::string& bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(offset);
  file << bytes;
  if (!file.flush()) std::exit(1);
}

/// Adds to what is written in a file system whose size stays as it is. Its first two sectors are for the
/// numbers by which a place for a file is chosen.
void add_text(const fs::path& path, const std::string& bytes) {
  const std::string all = bytes_of(path);
  write_at(path, static_cast<std::streamoff>(std::min(all.find('\0', 2 * kSector), all.size())), bytes);
}

/// Of FAT32: clusters of a sector behind 32 reserved sectors and no tables.
void write_boot_sector(const fs::path& path) {
  write_at(path, 13, std::string("\x01\x20", 2));
}

/// The next file begins behind the last cluster that was given out, if one has been named.
void write_at_named_place(const fs::path& path, const std::string& bytes) {
  const std::string all = bytes_of(path);
  std::streamoff last = 0;
  for (std::size_t i = 4; i > 0; --i)
    last = last << 8 | static_cast<unsigned char>(all[static_cast<std::size_t>(kSector) + 492 + i - 1]);
  if (last > 0) write_at(path, (last - 1 + 32) * kSector, bytes);
}

}  // namespace

int main(int count, char** words) {
  const Call call(count, words);
  const std::string& name = call.name();
  if (name == "mksquashfs") {
    write_new(call.argument(1), call.text() + read_all(std::cin));
  } else if (name == "zstd") {
    write_new(call.option("-o"), call.text() + read_all(std::cin));
  } else if (name == "veritysetup") {
    write_at(call.last(), std::stoll(call.option("--hash-offset")), call.text());
    const std::string half = digest(bytes_of(call.last()));
    std::cout << "Root hash:      \t" << half + half + half + half << "\n";
  } else if (name == "mkfs.fat") {
    write_boot_sector(call.last());
    add_text(call.last(), call.text());
  } else if (name == "mmd") {
    add_text(call.option("-i"), call.text());
  } else if (name == "mcopy") {
    const std::string input = read_all(std::cin);
    add_text(call.option("-i"),
             call.text() + std::to_string(input.size()) + " bytes " + digest(input) + "\n");
    write_at_named_place(call.option("-i"), input);
  } else if (name == "sfdisk") {
    write_at(call.last(), kSector, call.text() + read_all(std::cin));
  } else if (name == "grub-mkimage") {
    write_new(call.option("-o"), std::string(kSector, '\xcc') + call.text());
  } else if (name == "depmod") {
    const fs::path folder = call.option("-b");
    write_new(folder / "usr/lib/modules" / call.last() / "modules.alias", call.text() + listing(folder));
  } else if (name == "ldconfig") {
    const fs::path folder = call.option("-r");
    write_new(folder / "etc/ld.so.cache", call.text() + listing(folder));
  } else if (name == "udevadm") {
    const fs::path folder = call.option("--root");
    write_new(folder / "usr/lib/udev/hwdb.bin", call.text() + listing(folder));
  } else if (name == "journalctl") {
    const fs::path folder = call.option("--root");
    write_new(folder / "var/lib/systemd/catalog/database", call.text() + listing(folder));
  } else if (name == "openssl") {
    const fs::path folder = call.last();
    fs::create_symlink("first.pem", folder / (digest(call.text() + listing(folder)).substr(0, 8) + ".0"));
  } else {
    std::cerr << "nothing stands in for " << name << "\n";
    return 1;
  }
  return 0;
}
