// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "lock/text.hpp"
#include "text/percent.hpp"

namespace mailstead::fetch {
namespace {

/// How many times as many tries as are allowed in vain a package may take if each brings some of it.
constexpr unsigned kMostDrops = 20;
/// A server that asks to be left alone for longer than this is not waited for.
constexpr std::chrono::seconds kLongestPause{60};

std::optional<std::uint64_t> read_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

bool starts_with_name(std::string_view line, std::string_view lower_name) {
  return line.size() >= lower_name.size() &&
         std::equal(lower_name.begin(), lower_name.end(), line.begin(),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

}  // namespace

Address address_of(const Address& source, const lock::Package& package) {
  return source / text::percent_encoded(package.pool_path, "/._-~", text::HexDigits::lower);
}

Transfer::Transfer(lock::Package package, const Sources& sources, SourceStates& states, const Store& store,
                   const FetchOptions& options, Reporter::Activity& activity)
    : package_(std::move(package)),
      sources_(sources),
      states_(states),
      store_(store),
      options_(options),
      activity_(activity) {}

std::vector<Error> Transfer::wrong_bytes() const {
  std::vector<Error> errors;
  for (const auto& [source, refusal] : refusals_) {
    if (refusal.why == Refusal::Why::wrong_bytes) errors.push_back(refusal.error);
  }
  return errors;
}

void Transfer::choose_source() {
  if (sources_.one_server) return;
  // Those that refuse come last.
  const auto rank = [this](std::size_t i) {
    const SourceState& known = states_[sources_.addresses[i]];
    return std::pair(known.refusal.has_value(), known.failures);
  };
  for (std::size_t i = 0; i < sources_.addresses.size(); ++i) {
    if (rank(i) < rank(current_)) current_ = i;
  }
}

Result<CURL*> Transfer::begin() {
  if (!partial_) {
    TRY(auto partial, store_.begin(package_));
    partial_.emplace(std::move(partial));
  }
  if (failures_ == 0 && refusals_.empty()) choose_source();
  if (state().refusal && !sources_.one_server) to_next_source();
  resumed_from_ = partial_->size();
  if (resumed_from_ > reported_) {
    activity_.advance(resumed_from_ - reported_);
    reported_ = resumed_from_;
  }
  content_length_.reset();
  range_start_.reset();
  range_total_.reset();
  answer_checked_ = false;
  web_page_ = false;
  write_status_ = ok();
  curl_message_[0] = '\0';
  if (resumed_from_ == package_.size) return nullptr;

  easy_ = make_request(address_of(source(), package_), options_);
  CURL* easy = easy_.get();
  if (easy == nullptr) return fail(ErrorKind::internal, "libcurl cannot start a transfer");
  set(easy, CURLOPT_PRIVATE, this);
  set(easy, CURLOPT_ERRORBUFFER, curl_message_.data());
  set(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_data);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
  // CURLOPT_RESUME_FROM would fail where a server sends the whole file again; a plain range lets us start
  // over.
  if (resumed_from_ > 0) set(easy, CURLOPT_RANGE, fmt::format("{}-", resumed_from_).c_str());
  return easy;
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  static_cast<Transfer*>(self)->take_header({data, size * count});
  return size * count;
}

void Transfer::take_header(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  constexpr std::string_view kLength = "content-length:";
  constexpr std::string_view kRange = "content-range:";
  if (line.starts_with("HTTP/")) {
    content_length_.reset();
    range_start_.reset();
    range_total_.reset();
  } else if (starts_with_name(line, kLength)) {
    content_length_ = read_number(lock::trim(line.substr(kLength.size())));
  } else if (starts_with_name(line, kRange)) {
    // RFC 9110 section 14.4: "bytes 100-199/200"
    std::string_view value = lock::trim(line.substr(kRange.size()));
    const auto dash = value.find('-');
    const auto slash = value.find('/');
    if (!starts_with_name(value, "bytes ") || dash == std::string_view::npos ||
        slash == std::string_view::npos)
      return;
    range_start_ = read_number(value.substr(6, dash - 6));
    range_total_ = read_number(value.substr(slash + 1));
  }
}

std::size_t Transfer::on_data(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  transfer->write_status_ = transfer->take_data({data, size * count});
  return transfer->write_status_ ? size * count : CURL_WRITEFUNC_ERROR;
}

Status Transfer::check_answer() {
  answer_checked_ = true;
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status == 0) return ok();  // file://
  web_page_ = is_web_page(easy_.get());
  if (web_page_) return fail(ErrorKind::network, "it answers with a web page");
  std::optional<std::uint64_t> total = content_length_;
  if (status == 206) {
    if (range_start_ != resumed_from_) {
      return fail(ErrorKind::network, "it sent another part of the file than the one asked for");
    }
    total = range_total_;
  } else if (resumed_from_ > 0) {
    CHECK_OK(partial_->restart());
    resumed_from_ = 0;
  }
  if (total && *total != package_.size) {
    return fail(ErrorKind::integrity, fmt::format("{} {} has {} bytes at {}; the lock says {}", package_.name,
                                                  package_.version, *total, source(), package_.size));
  }
  return ok();
}

Status Transfer::take_data(std::string_view data) {
  if (!answer_checked_) CHECK_OK(check_answer());
  if (auto added = partial_->append(data); !added) {
    Error error = std::move(added).error();
    if (error.kind == ErrorKind::integrity) error.message += ", at " + source().shown();
    return fail(std::move(error));
  }
  if (partial_->size() > reported_) {
    activity_.advance(partial_->size() - reported_);
    reported_ = partial_->size();
  }
  return ok();
}

Status Transfer::finish_file() {
  auto path = partial_->finish("from " + source().shown());
  if (!path) return fail(std::move(path).error());
  path_ = *std::move(path);
  partial_.reset();
  state().gives = true;
  return ok();
}

Transfer::Outcome Transfer::finish(CURLcode code) {
  long status = 0;
  long tunnel_status = 0;
  curl_off_t retry_after = 0;
  if (easy_) {
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &tunnel_status);
    curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &retry_after);
  }
  easy_.reset();
  const std::string curl_text =
      without_credentials(curl_message_[0] != '\0' ? curl_message_.data() : curl_easy_strerror(code));

  Status result = std::move(write_status_);
  if (result && code == CURLE_OK && partial_->size() == package_.size) {
    const bool whole = resumed_from_ == 0;
    result = finish_file();
    if (result) return Outcome::done;
    // What an interrupted run left may be damaged (a power cut); that is not the source's fault.
    if (!whole && result.error().kind == ErrorKind::integrity) return fail_for_now(result.error().message);
  }
  if (!result && result.error().kind == ErrorKind::integrity) {
    if (auto emptied = partial_->restart(); !emptied)
      return give_up(Failure::local, std::move(emptied).error());
    return refuse({Refusal::Why::wrong_bytes, std::move(result).error()});
  }
  if (!result && result.error().kind == ErrorKind::io)
    return give_up(Failure::local, std::move(result).error());
  const Answer answer{code, tunnel_status == 407 ? tunnel_status : status, curl_text, web_page_};
  if (auto refusal = find_refusal({source(), package_, sources_.index, state(), options_}, answer))
    return refuse(*std::move(refusal));
  if (!result) return fail_for_now(result.error().message);
  if (code == CURLE_OK) return fail_for_now(fmt::format("it ended after {} bytes", partial_->size()));
  if (code == CURLE_HTTP_RETURNED_ERROR && status == 416) {
    if (auto emptied = partial_->restart(); !emptied)
      return give_up(Failure::local, std::move(emptied).error());
    return fail_for_now("it cannot continue the file where it ended");
  }
  return fail_for_now(curl_text, std::chrono::seconds(retry_after));
}

/// Moves on to the next source that has not refused; false if there is none.
bool Transfer::to_next_source() {
  const std::size_t count = sources_.addresses.size();
  for (std::size_t step = 1; step <= count; ++step) {
    const std::size_t candidate = (current_ + step) % count;
    if (refusals_.contains(candidate) || states_[sources_.addresses[candidate]].refusal) continue;
    current_ = candidate;
    return true;
  }
  return false;
}

Transfer::Outcome Transfer::refuse(Refusal refusal) {
  // A server that wants nothing to do with us is not bothered about the next package.
  if (sources_.one_server && refusal.gave_no_answer())
    return give_up(Failure::unreachable, std::move(refusal.error));
  if (refusal.why == Refusal::Why::unusable) {
    state().refusal = refusal.error;
    state().trouble = refusal.error.message;
  }
  refusals_.insert_or_assign(current_, std::move(refusal));
  if (to_next_source()) {
    not_before_ = Clock::now();
    return Outcome::again;
  }
  // Those too that have refused other packages, and were not asked for this one.
  for (std::size_t i = 0; i < sources_.addresses.size(); ++i) {
    if (const auto& known = states_[sources_.addresses[i]].refusal)
      refusals_.try_emplace(i, Refusal{Refusal::Why::unusable, *known});
  }
  const auto gravest = std::max_element(refusals_.begin(), refusals_.end(), [](const auto& a, const auto& b) {
    return a.second.why < b.second.why;
  });
  const bool lacking = is_lacking_somewhere();
  unanswered_ = lacking && gravest->second.gave_no_answer();
  return give_up(lacking ? Failure::lacking : Failure::unusable, gravest->second.error);
}

Transfer::Outcome Transfer::fail_for_now(std::string reason, std::chrono::seconds asked_pause) {
  // A line that drops every few megabytes still arrives; one that drops after every packet would take for
  // ever.
  if (reported_ > furthest_) failures_ = 0;
  furthest_ = reported_;
  ++failures_;
  ++all_failures_;
  ++state().failures;
  const Address failed = source();
  states_[failed].trouble = fmt::format("{}: {}", failed, reason);
  if (!sources_.one_server) to_next_source();
  const bool same_again = source() == failed;
  const bool too_long = same_again && asked_pause > kLongestPause;
  if (too_long) reason += fmt::format(", and it asks to come back after {} s", asked_pause.count());
  if (too_long || failures_ >= options_.attempts || all_failures_ >= kMostDrops * options_.attempts) {
    // One mirror that is down for good must not keep what the others have dropped from being looked for
    // elsewhere.
    unanswered_ = !sources_.one_server && is_lacking_somewhere();
    return give_up(
        unanswered_ ? Failure::lacking : Failure::unreachable,
        Error{ErrorKind::network,
              fmt::format("cannot fetch {} {} from {}: {}", package_.name, package_.version, failed, reason),
              {},
              "check the network, or use another mirror with --mirror; what has arrived is kept",
              {},
              {}});
  }
  std::chrono::milliseconds pause = options_.backoff * (1u << std::min(failures_ - 1, 5u));
  if (same_again) pause = std::max<std::chrono::milliseconds>(pause, asked_pause);
  not_before_ = Clock::now() + pause;
  return Outcome::again;
}

/// Whether a source has been reached that does not give the bytes of the lock.
bool Transfer::is_lacking_somewhere() const {
  return std::any_of(refusals_.begin(), refusals_.end(),
                     [](const auto& entry) { return entry.second.why != Refusal::Why::unusable; });
}

Transfer::Outcome Transfer::give_up(Failure failure, Error error) {
  failure_ = failure;
  error_ = std::move(error);
  partial_.reset();
  return Outcome::failed;
}

}  // namespace mailstead::fetch
