// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/refusal.hpp"

#include <fmt/format.h>

#include "fetch/request.hpp"

namespace mailstead::fetch {
namespace {

constexpr std::string_view kOtherMirror = "use another mirror: --mirror";

/// Failures that another try at the same mirror does not mend, whatever it is asked for.
bool is_lasting(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return true;
    default:
      return false;
  }
}

Refusal unusable(const Question& question, std::string_view reason, std::string hint) {
  Error error{ErrorKind::network, fmt::format("{} {}", question.source, reason), {}, std::move(hint), {}, {}};
  for (const std::string& file : question.options.transport.unreadable)
    error.notes.push_back(fmt::format("logins may be in {}, which you may not read", file));
  return {Refusal::Why::unusable, std::move(error)};
}

/// Whether it is not this package only that the source refuses.
bool refuses_all(const Question& question) {
  SourceState& state = question.state;
  if (state.refusal) return true;
  if (state.gives || question.index.empty()) return false;
  state.gives = gives_index(question.source, question.index, question.options);
  return !state.gives;
}

Refusal declined(const Question& question, const Answer& answer, const std::string& reason) {
  if (!refuses_all(question)) {
    return {Refusal::Why::declined,
            Error{ErrorKind::network,
                  fmt::format("{} refuses {} {}: {}", question.source, question.package.name,
                              question.package.version, reason),
                  {},
                  std::string(kOtherMirror),
                  {},
                  {}}};
  }
  if (answer.web_page)
    return unusable(
        question, "answers with a web page instead of Debian's archive",
        "if this network asks for a login in a browser, log in there; else " + std::string(kOtherMirror));
  return unusable(question,
                  answer.status >= 400 ? fmt::format("refuses everything ({})", answer.status)
                                       : "cannot be used: " + reason,
                  std::string(kOtherMirror));
}

}  // namespace

std::optional<Refusal> find_refusal(const Question& question, const Answer& answer) {
  const auto& [code, status, text, web_page] = answer;
  const lock::Package& package = question.package;
  if (code == CURLE_FILE_COULDNT_READ_FILE ||
      (code == CURLE_HTTP_RETURNED_ERROR && (status == 404 || status == 410))) {
    return Refusal{Refusal::Why::missing, Error{ErrorKind::network,
                                                fmt::format("{} does not have {} {}", question.source,
                                                            package.name, package.version),
                                                {},
                                                {},
                                                {},
                                                {}}};
  }
  if (status == 401)
    return unusable(question, "requires a user and a password (401)",
                    "give them in its address or in /etc/apt/auth.conf, or use another mirror: --mirror");
  if (status == 407)
    return unusable(
        question, "cannot be asked: the proxy requires a user and a password (407)",
        "give them in the proxy's address: http_proxy, or Acquire::http::Proxy in /etc/apt/apt.conf");
  if (web_page) return declined(question, answer, "it answers with a web page");
  const bool client_error =
      code == CURLE_HTTP_RETURNED_ERROR && status < 500 && status != 408 && status != 416 && status != 429;
  if (client_error || code == CURLE_TOO_MANY_REDIRECTS)
    return declined(question, {code, client_error ? status : 0, text, web_page}, text);
  if (is_lasting(code)) return unusable(question, "cannot be used: " + text, std::string(kOtherMirror));
  return std::nullopt;
}

}  // namespace mailstead::fetch
