// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/enclosure.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/interrupt.hpp"
#include "base/run.hpp"

namespace mailstead::mailtest {
namespace {

using Json = nlohmann::json;

std::string json_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Sends the child's reports to the parent, one JSON object per line.
class PipeReporter : public Reporter {
 public:
  explicit PipeReporter(int fd) : fd_(fd) {}
  void warning(std::string_view text) override { send({{"warning", text}}); }
  void info(std::string_view text) override { send({{"info", text}}); }

 protected:
  void on_start(const Progress& progress) override { send({{"start", progress.name}}); }
  void on_advance(const Progress&) override {}
  void on_end(const Progress& progress) override {
    send({{"end", progress.result}, {"outcome", static_cast<int>(progress.outcome)}});
  }

 private:
  void send(const Json& json) {
    // If the parent has ended, so does this process: there is nothing to report to.
    (void)write_all(fd_, json_line(json));
  }
  int fd_;
};

Json to_json(const Error& error) {
  Json json = {{"kind", static_cast<int>(error.kind)},
               {"message", error.message},
               {"hint", error.hint},
               {"notes", error.notes},
               {"others", Json::array()}};
  if (const auto& p = error.place)
    json["place"] = {{"file", p->file},
                     {"line", p->line},
                     {"column", p->column},
                     {"length", p->length},
                     {"source", p->source_line}};
  for (const Error& other : error.others) json["others"].push_back(to_json(other));
  return json;
}

Error to_error(const Json& json) {
  Error error{static_cast<ErrorKind>(json.at("kind").get<int>()),
              json.at("message"),
              {},
              json.at("hint"),
              json.at("notes"),
              {}};
  if (json.contains("place")) {
    const Json& p = json["place"];
    error.place = Place{p.at("file"), p.at("line"), p.at("column"), p.at("length"), p.at("source")};
  }
  for (const Json& other : json.at("others")) error.others.push_back(to_error(other));
  return error;
}

Status write_proc(const char* path, const std::string& text) {
  const FileDescriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return ok();
}

Status enter_namespaces() {
  const unsigned uid = ::geteuid();
  const unsigned gid = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0) {
    const std::string reason = std::strerror(errno);
    std::string hint = "the kernel must be built with user and network namespaces";
    const auto most = read_file("/proc/sys/user/max_user_namespaces", 64);
    const auto debian = read_file("/proc/sys/kernel/unprivileged_userns_clone", 64);
    const auto apparmor = read_file("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 64);
    if (most && *most == "0\n")
      hint = "run, as root: sysctl user.max_user_namespaces=10000";
    else if (debian && *debian == "0\n")
      hint = "run, as root: sysctl kernel.unprivileged_userns_clone=1";
    else if (apparmor && *apparmor != "0\n")
      hint = "run, as root: sysctl kernel.apparmor_restrict_unprivileged_userns=0";
    return fail(ErrorKind::io, "cannot make the namespaces of the test world: " + reason, hint);
  }
  // Without this the kernel accepts no group map from an unprivileged user (user_namespaces(7)).
  CHECK_OK(write_proc("/proc/self/setgroups", "deny"));
  CHECK_OK(write_proc("/proc/self/uid_map", fmt::format("0 {} 1", uid)));
  CHECK_OK(write_proc("/proc/self/gid_map", fmt::format("0 {} 1", gid)));
  return ok();
}

[[noreturn]] void child(const std::function<Result<std::string>(Reporter&)>& work, int pipe, pid_t parent) {
  // A process group of its own: Ctrl-C at the terminal reaches only the parent, which forwards it. A second
  // signal would end us at once and leave the work folder behind.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // SIGTERM: destructors end QEMU and remove the work folder
  if (::getppid() != parent) ::_exit(1);
  // The end of the parent must not end us before the destructors have run.
  ::signal(SIGPIPE, SIG_IGN);
  PipeReporter reporter(pipe);
  Result<std::string> result = [&]() -> Result<std::string> {
    CHECK_OK(enter_namespaces());
    // Becoming root of a new user namespace has cleared it (prctl(2)).
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    return work(reporter);
  }();
  const Json last = result ? Json{{"result", *result}} : Json{{"error", to_json(result.error())}};
  (void)write_all(pipe, json_line(last));
  ::_exit(0);  // not exit(), which would run the parent's atexit handlers
}

Result<FileDescriptor> make_tap(const char* name) {
  FileDescriptor tap(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  if (!tap)
    return fail(
        ErrorKind::io, std::string("cannot open /dev/net/tun: ") + std::strerror(errno),
        "load the module tun, and let this user read and write the device (udev's default is mode 0666)");
  ifreq request{};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(tap.get(), TUNSETIFF, &request) != 0)
    return fail(ErrorKind::io, std::string("cannot make a tap device: ") + std::strerror(errno));
  return tap;
}

/// Runs `ip` with each of these lists of arguments.
Status configure(const std::vector<std::vector<std::string>>& commands) {
  for (const std::vector<std::string>& words : commands) {
    Command command;
    command.argv = {"ip"};
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    command.timeout = std::chrono::seconds(20);
    if (auto done = run(command); !done)
      return fail(std::move(done).error().with_note("while making the network of the test world"));
  }
  return ok();
}

/// Passes the child's reports to our reporter, and keeps its result.
class Listener {
 public:
  explicit Listener(Reporter& reporter) : reporter_(reporter) {}

  void take(const std::string& line) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded() || !json.is_object()) return;
    if (json.contains("start")) {
      running_.push_back(reporter_.start(json["start"]));
    } else if (json.contains("end") && !running_.empty()) {
      const auto outcome = static_cast<Reporter::Outcome>(json["outcome"].get<int>());
      if (outcome == Reporter::Outcome::done) running_.back()->set_result(json["end"]);
      if (outcome == Reporter::Outcome::failed) running_.back()->set_failed(json["end"]);
      running_.pop_back();
    } else if (json.contains("info")) {
      reporter_.info(json["info"].get<std::string>());
    } else if (json.contains("warning")) {
      reporter_.warning(json["warning"].get<std::string>());
    } else if (json.contains("result")) {
      answer_ = json["result"].get<std::string>();
    } else if (json.contains("error")) {
      answer_ = fail(to_error(json["error"]));
    }
  }

  std::optional<Result<std::string>> finish() {
    while (!running_.empty()) running_.pop_back();
    return std::move(answer_);
  }

 private:
  Reporter& reporter_;
  std::vector<std::unique_ptr<Reporter::Activity>> running_;
  std::optional<Result<std::string>> answer_;
};

}  // namespace

Result<std::string> run_enclosed(const std::function<Result<std::string>(Reporter&)>& work,
                                 Reporter& reporter) {
  CHECK_OK(check_interrupt());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail(ErrorKind::io, std::string("cannot make a pipe: ") + std::strerror(errno));
  FileDescriptor from_child(ends[0]);
  FileDescriptor to_parent(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(ErrorKind::io, std::string("cannot fork: ") + std::strerror(errno));
  if (pid == 0) {
    from_child.reset();
    child(work, to_parent.get(), parent);
  }
  ::setpgid(pid, pid);  // as the child does, whichever is first
  to_parent.reset();
  Listener listener(reporter);
  std::string buffer;
  bool told = false;
  while (true) {
    if (interrupted() && !told) {
      ::kill(pid, SIGTERM);
      told = true;
    }
    // With a timeout, since a signal may arrive just before.
    pollfd entry{from_child.get(), POLLIN, 0};
    if (::poll(&entry, 1, 200) <= 0) continue;
    char block[16384];
    const ssize_t got = ::read(from_child.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    buffer.append(block, static_cast<std::size_t>(got));
    for (std::size_t end; (end = buffer.find('\n')) != std::string::npos; buffer.erase(0, end + 1))
      listener.take(buffer.substr(0, end));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (auto answer = listener.finish()) return *std::move(answer);
  CHECK_OK(check_interrupt());
  return fail(ErrorKind::internal,
              "the test runner ended with " + (WIFSIGNALED(status)
                                                   ? signal_name(WTERMSIG(status))
                                                   : fmt::format("exit status {}", WEXITSTATUS(status))));
}

Result<FileDescriptor> make_network(const PublicNetwork& network) {
  TRY(FileDescriptor tap, make_tap("tap0"));
  std::vector<std::vector<std::string>> commands = {{"link", "set", "lo", "up"}};
  // nodad: an address that is still being checked for duplicates cannot be listened on.
  const auto add = [&](const std::string& address, unsigned prefix) {
    commands.push_back({"address", "add", fmt::format("{}/{}", address, prefix), "dev", "tap0"});
    if (is_ipv6(address)) commands.back().emplace_back("nodad");
  };
  if (network.gateway4() == kGateway) add(kGateway, 24);
  for (const auto* family : {&network.v4, &network.v6}) {
    if (!*family || (*family)->gateway.empty()) continue;
    const std::string& gateway = (*family)->gateway;
    if (gateway != kGateway && gateway != kGatewayOnLink)
      add(gateway, gateway.starts_with("fe80:") ? 64 : (*family)->prefix);
  }
  add(kGatewayOnLink, 64);
  // The source of connections without `from`: the machine cannot answer a link-local one.
  commands.push_back({"address", "add", std::string(kOtherStranger6) + "/128", "dev", "lo", "nodad"});
  for (const std::string& server : network.name_servers) add(server, is_ipv6(server) ? 128 : 32);
  commands.push_back({"link", "set", "tap0", "up"});
  commands.push_back({"route", "add", "local", kPeers, "dev", "lo"});
  commands.push_back({"-6", "route", "add", "local", kPeers6, "dev", "lo"});
  // Where the gateway is only on the link, its own address does not lead to the machine.
  for (const auto* family : {&network.v4, &network.v6})
    if (*family) commands.push_back({"route", "replace", (*family)->address, "dev", "tap0"});
  CHECK_OK(configure(commands));
  return tap;
}

Result<FileDescriptor> make_private_network() {
  TRY(FileDescriptor tap, make_tap("tap1"));
  CHECK_OK(configure({
      {"address", "add", std::string(kPrivateHost) + "/24", "dev", "tap1"},
      {"address", "add", std::string(kPrivateHost6) + "/64", "dev", "tap1", "nodad"},
      {"link", "set", "tap1", "up"},
  }));
  return tap;
}

}  // namespace mailstead::mailtest
