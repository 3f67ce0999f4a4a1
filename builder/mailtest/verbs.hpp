// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mailtest/protocol.hpp"

namespace mailstead::mailtest {

class Arguments;

/// Text of a dialogue in which ${…} may stand: the values of variables are put in when the step is played.
struct Text {
  std::string written;
};

/// A line of a table.
struct Row {
  int line = 0;                     ///< counted from 1
  std::string source;               ///< as written
  std::vector<std::string> fields;  ///< without escapes; variables are put in when the step is played
};

/// The arguments of each verb. The table in verbs.cpp says what the verbs do; Player has a `play` for each.
namespace verb {

using Time = std::chrono::milliseconds;

// Conversation

struct Connect {
  Protocol protocol = Protocol::plain;
  Text address;
  Text port;
  bool tls = false;
  Text from;  ///< the client's address; empty: any
  Text name;
};
struct Use {
  Text name;
};
struct Send {
  Text line;
};
struct SendRaw {
  Text bytes;
};
struct ExpectGlob {
  Text glob;
};
struct ExpectRegex {
  Text regex;
};
struct ReplyHas {
  Text part;
};
struct ReplyLacks {
  Text part;
};
struct Capture {
  Text regex;
};
/// What the client of TLS offers; both empty: what is usual.
struct Offer {
  Text version = {};
  Text suite = {};
};
struct StartTls {
  Offer offer;
};
struct Tls {
  Offer offer;
};
struct TlsRefused {
  Offer offer;
};
struct Certificate {
  Text name;
  std::optional<Text> authorities;  ///< a file
};
struct AuthPlain {
  Text user;
  Text password;
};
struct Data {
  std::string kept = {};  ///< the variable that has the message; empty: it is `text`
  Text text = {};
};
/// A Python script beside the dialogue, whose output is the message.
struct Script {
  std::string file;  ///< a name, and after find_companions a path
  std::vector<Text> arguments;
};
struct Message {
  std::string name;
  Text text = {};
  std::optional<Script> script = {};  ///< if there is one, `text` is empty
};
struct SegmentSize {
  Text bytes;
};
struct Answers {
  Time within{};
};
struct Close {};
struct ExpectClose {};
struct ExpectRefused {
  Text address;
  Text port;
  Text from;  ///< the client's address; empty: any
};

// Variables, blocks, time

struct Set {
  std::string name;
  Text value;
};
enum class Comparison { contains, lacks, equals, matches };
struct Check {
  std::string name;
  Comparison how{};
  Text wanted;
};
struct Pause {
  Time time{};
};
struct WaitUntil {
  Time within{};
};
/// Only rows in which this column has this value are played.
struct Condition {
  std::string column;
  Text value;
};
struct Each {
  std::vector<std::string> columns;
  std::string file;
  std::optional<Condition> condition = {};
  std::vector<Row> rows = {};  ///< after find_companions
};
struct Include {
  std::string file;                    ///< a name, and after find_companions a path
  std::vector<std::string> arguments;  ///< NAME=VALUE
};

// Mail, programs and ports around the machine

struct Received {
  Time within{};
  Text address;
  std::string name;
};
struct NotReceived {
  Time within{};
  Text address;
};
struct VerifyDkim {
  std::string message;
  Text domain;
  Text algorithms;
};
struct Oracle {
  Text program;
  std::vector<Text> arguments;
};
struct OracleBegin {
  Text program;
  std::vector<Text> arguments;
};
struct OracleEnd {
  Time within{};
};
struct PortsOpen {
  Text address;
  std::vector<Text> ports;  ///< each a number, or a variable that may hold several
};
struct Ssh {
  Text address;
  Text key_file;
  Text command;
};
struct SshRefuses {
  Text address;
  Text method;
};

// The machine

struct Reboot {};
struct PowerCut {
  bool stays_off = false;
};
struct PowerOff {};
struct PowerOn {};
struct WaitBoot {
  Time within{};
};
struct WaitSerial {
  Time within{};
  Text regex;
};
struct Serial {
  bool has = false;
  Text regex;
};
struct Screen {
  bool has = false;
  Text regex;
};
struct Press {
  std::vector<std::string> keys;
};

// The disk of a machine that is off

enum class JournalCheck { has, lacks, except, no_errors, no_failed_units };
struct Journal {
  JournalCheck what{};
  Text regex;  ///< empty for the last two
};
struct DiskSize {
  std::uint64_t bytes = 0;
};
struct OtherDisk {
  std::string label;
};
struct WriteImage {
  bool whole = false;
};
struct WriteDisk {
  std::uint64_t place = 0;
  std::string bytes;
};
struct Debugfs {
  Text request;
};
enum class Copy { attach, detach, unchanged };
struct CopiedDisk {
  Copy what{};
};
enum class DataCheck { sound, fills_disk };
struct DataPartition {
  DataCheck what{};
};

}  // namespace verb

/// What a step does: the arguments of a verb, which one of these types tells.
using Action =
    std::variant<verb::Connect, verb::Use, verb::Send, verb::SendRaw, verb::ExpectGlob, verb::ExpectRegex,
                 verb::ReplyHas, verb::ReplyLacks, verb::Capture, verb::StartTls, verb::Tls, verb::TlsRefused,
                 verb::Certificate, verb::AuthPlain, verb::Data, verb::Message, verb::SegmentSize,
                 verb::Answers, verb::Close, verb::ExpectClose, verb::ExpectRefused, verb::Set, verb::Check,
                 verb::Pause, verb::WaitUntil, verb::Each, verb::Include, verb::Received, verb::NotReceived,
                 verb::VerifyDkim, verb::Oracle, verb::OracleBegin, verb::OracleEnd, verb::PortsOpen,
                 verb::Ssh, verb::SshRefuses, verb::Reboot, verb::PowerCut, verb::PowerOff, verb::PowerOn,
                 verb::WaitBoot, verb::WaitSerial, verb::Serial, verb::Screen, verb::Press, verb::Journal,
                 verb::DiskSize, verb::OtherDisk, verb::WriteImage, verb::WriteDisk, verb::Debugfs,
                 verb::CopiedDisk, verb::DataPartition>;

/// The record of a verb.
struct Verb {
  std::string_view form;        ///< the keyword, and what follows it: for errors and qemu-tests/README.md
  std::string_view says;        ///< what it does, for qemu-tests/README.md
  Action (*read)(Arguments&);   ///< takes what follows the keyword
  std::string_view needs = "";  ///< Debian's packages on the host, beyond those for booting a machine
  bool has_block = false;       ///< the lines up to `end` belong to it

  std::string_view keyword() const { return form.substr(0, form.find(' ')); }
};

/// Verbs that belong together.
struct VerbGroup {
  std::string_view title;
  std::span<const Verb> verbs;
};

/// The language of dialogues, in the order of qemu-tests/README.md.
std::span<const VerbGroup> verb_groups();

/// Null if there is no such verb.
const Verb* find_verb(std::string_view keyword);

}  // namespace mailstead::mailtest
