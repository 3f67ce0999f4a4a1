// SPDX-License-Identifier: GPL-3.0-or-later
// Steps that log in by SSH, with the client of OpenSSH.
#include <fmt/format.h>

#include "base/run.hpp"
#include "mailtest/player.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {
namespace {

using namespace std::chrono_literals;

/// The client, as a person sits before it who has no configuration, no agent and no known hosts.
/// `connecting`: how long that may take.
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

Status Player::log_in(const Step& step) {
  TRY(const std::vector<std::string> w, expanded(step.words));
  TRY(const std::string remote, expanded(step.text));
  Command command = ssh_client(w[0], patient(30s), {"-o", "IdentitiesOnly=yes", "-i", w[1]});
  command.argv.push_back(remote);
  command.timeout = patient(120s);
  note(fmt::format("ssh to {}: {}", w[0], remote));
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

Status Player::check_login_methods(const Step& step) {
  TRY(const std::vector<std::string> w, expanded(step.words));
  Command command = ssh_client(w[0], patient(30s),
                               {"-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=" + w[1]});
  command.argv.push_back("true");
  command.timeout = patient(120s);
  TRY(const CommandOutput done, run_any_status(command));
  note("ssh: " + printable(done.err, 300));
  // The client lists what the server would have accepted: "root@…: Permission denied (publickey)."
  const auto from = done.err.find("Permission denied (");
  const auto end = done.err.find(')', from);
  if (done.exit_status != 255 || from == std::string::npos || end == std::string::npos)
    return fail(ErrorKind::tool, fmt::format("SSH did not refuse, exit status {}: {}", done.exit_status,
                                             printable(done.err, 1000)));
  if (done.err.substr(from, end - from).find(w[1]) != std::string::npos)
    return fail(ErrorKind::tool, fmt::format("SSH offers the method {}: {}", w[1], printable(done.err, 300)));
  return ok();
}

}  // namespace mailstead::mailtest
