// SPDX-License-Identifier: GPL-3.0-or-later
// Steps that log in by SSH, with the client of OpenSSH.
#include <fmt/format.h>

#include "base/run.hpp"
#include "mailtest/player.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {
namespace {

using namespace std::chrono_literals;

/// The client of a user without configuration, agent and known hosts. `connecting`: the time limit for that.
Command ssh_client(const std::string& address, std::chrono::seconds connecting,
                   const std::vector<std::string>& options) {
  Command command;
  command.argv = {"ssh", "-F", "none", "-T"};
  const std::string settings[] = {"BatchMode=yes",
                                  "StrictHostKeyChecking=no",
                                  "UserKnownHostsFile=/dev/null",
                                  "GlobalKnownHostsFile=/dev/null",
                                  "LogLevel=ERROR",
                                  "IdentityAgent=none",
                                  fmt::format("ConnectTimeout={}", connecting.count())};
  for (const std::string& setting : settings) {
    command.argv.push_back("-o");
    command.argv.push_back(setting);
  }
  command.argv.insert(command.argv.end(), options.begin(), options.end());
  command.argv.push_back("root@" + address);
  return command;
}

}  // namespace

Status Player::play(const verb::Ssh& step) {
  TRY(const std::string address, expanded(step.address));
  TRY(const std::string key_file, expanded(step.key_file));
  TRY(const std::string remote, expanded(step.command));
  Command command = ssh_client(address, patient(30s), {"-o", "IdentitiesOnly=yes", "-i", key_file});
  command.argv.push_back(remote);
  command.timeout = patient(120s);
  note(fmt::format("ssh to {}: {}", address, remote));
  TRY(const CommandOutput done, run_any_status(command));
  Reply reply;
  reply.lines = text::to_strings(text::split_lines(done.out));
  reply.status = done.out;
  note_reply(reply);
  reply_ = std::move(reply);
  if (done.exit_status == 0) return ok();
  return fail(ErrorKind::tool, fmt::format("over SSH, exit status {}: {}", done.exit_status,
                                           printable(done.err + done.out, 2000)));
}

Status Player::play(const verb::SshRefuses& step) {
  TRY(const std::string address, expanded(step.address));
  TRY(const std::string method, expanded(step.method));
  Command command = ssh_client(address, patient(30s),
                               {"-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=" + method});
  command.argv.push_back("true");
  command.timeout = patient(120s);
  TRY(const CommandOutput done, run_any_status(command));
  note("ssh: " + printable(done.err, 300));
  // The client lists the methods that the server would have accepted: "root@…: Permission denied
  // (publickey)."
  const auto from = done.err.find("Permission denied (");
  const auto end = done.err.find(')', from);
  if (done.exit_status != 255 || from == std::string::npos || end == std::string::npos)
    return fail(ErrorKind::tool, fmt::format("SSH did not refuse, exit status {}: {}", done.exit_status,
                                             printable(done.err, 1000)));
  if (done.err.substr(from, end - from).find(method) != std::string::npos)
    return fail(ErrorKind::tool,
                fmt::format("SSH offers the method {}: {}", method, printable(done.err, 300)));
  return ok();
}

}  // namespace mailstead::mailtest
