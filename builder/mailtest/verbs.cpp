// SPDX-License-Identifier: GPL-3.0-or-later
// The table of verbs. To add one: a record here, a type for its arguments in verbs.hpp, and Player::play for
// that type; without any of these the program does not compile. UPDATE_GOLDEN=1 unit_mailtest writes the list
// in qemu-tests/README.md.
#include "mailtest/verbs.hpp"

#include <algorithm>

#include "mailtest/arguments.hpp"

namespace mailstead::mailtest {
namespace {

verb::Offer read_offer(Arguments& a) {
  return {.version = a.after("offering").word(), .suite = a.word()};
}

constexpr Verb kConversation[] = {
    {.form = "connect smtp|imap|sieve|plain ADDRESS PORT [tls] [from ADDRESS] [as NAME]",
     .says = "opens a connection, which is in use from then on; with `plain`, a reply is a line",
     .read = [](Arguments& a) -> Action {
       return verb::Connect{.protocol = a.choice<Protocol>({{"smtp", Protocol::smtp},
                                                            {"imap", Protocol::imap},
                                                            {"sieve", Protocol::sieve},
                                                            {"plain", Protocol::plain}}),
                            .address = a.word(),
                            .port = a.port(),
                            .tls = a.has("tls"),
                            .from = a.has("from") ? a.word() : Text{},
                            .name = a.has("as") ? a.word() : Text{"main"}};
     }},
    {.form = "use NAME",
     .says = "continues with a connection opened before",
     .read = [](Arguments& a) -> Action { return verb::Use{a.word()}; }},
    {.form = "> TEXT",
     .says = "sends a line",
     .read = [](Arguments& a) -> Action { return verb::Send{a.at_end() ? Text{} : a.line()}; }},
    {.form = ">raw \"BYTES\"",
     .says = R"(sends these bytes and no line end; escapes are \r \n \t \0 \\ \" \xHH)",
     .read = [](Arguments& a) -> Action { return verb::SendRaw{a.quoted_bytes()}; }},
    {.form = "< GLOB",
     .says = "reads the next reply and compares it; * is any text, ? one character",
     .read = [](Arguments& a) -> Action { return verb::ExpectGlob{a.line()}; }},
    {.form = "<~ REGEX",
     .says = "reads the next reply and finds a regular expression (RE2) in it; (?P<NAME>…) sets a variable",
     .read = [](Arguments& a) -> Action { return verb::ExpectRegex{a.regex_line()}; }},
    {.form = "<* TEXT",
     .says = "a line of the reply just read contains this text",
     .read = [](Arguments& a) -> Action { return verb::ReplyHas{a.line()}; }},
    {.form = "<! TEXT",
     .says = "no line of the reply just read contains this text",
     .read = [](Arguments& a) -> Action { return verb::ReplyLacks{a.line()}; }},
    {.form = "capture REGEX",
     .says = "finds the expression in the reply just read; (?P<NAME>…) sets a variable",
     .read = [](Arguments& a) -> Action { return verb::Capture{a.regex()}; }},
    {.form = "starttls [offering VERSION SUITE]",
     .says = "sends STARTTLS, expects consent, changes to TLS; fails if anything else was received before "
             "the handshake. The client offers what is usual, or one version (TLSv1 … TLSv1.3) and suite "
             "(OpenSSL's name)",
     .read = [](Arguments& a) -> Action {
       return verb::StartTls{a.at_end() ? verb::Offer{} : read_offer(a)};
     }},
    {.form = "tls [offering VERSION SUITE]",
     .says = "changes to TLS without a command",
     .read = [](Arguments& a) -> Action { return verb::Tls{a.at_end() ? verb::Offer{} : read_offer(a)}; }},
    {.form = "tls-refused offering VERSION SUITE",
     .says = "the server refuses this handshake; the connection is closed",
     .read = [](Arguments& a) -> Action { return verb::TlsRefused{read_offer(a)}; }},
    {.form = "certificate NAME [trusted by FILE]",
     .says = "the server's certificate is for this name, and a client that knows only the authorities in "
             "FILE trusts it",
     .read = [](Arguments& a) -> Action {
       verb::Certificate step{a.word(), {}};
       if (a.has("trusted")) step.authorities = a.after("by").word();
       return step;
     }},
    {.form = "auth-plain USER PASSWORD",
     .says = "sends AUTH PLAIN or AUTHENTICATE PLAIN; the answer is for the next < line",
     .read = [](Arguments& a) -> Action { return verb::AuthPlain{.user = a.word(), .password = a.word()}; }},
    {.form = "data <<END, or data NAME",
     .says = "sends DATA; then the lines up to END, or the message that the variable NAME has, with leading "
             "dots doubled; then the final dot",
     .read = [](Arguments& a) -> Action {
       return a.at_text() ? verb::Data{.text = a.text()} : verb::Data{.kept = a.variable()};
     }},
    {.form = "message NAME <<END, or message NAME by SCRIPT ARGUMENT…",
     .says =
         "keeps a message in a variable: the lines up to END, or, byte for byte, the output of the Python "
         "script beside the dialogue",
     .read = [](Arguments& a) -> Action {
       verb::Message step{.name = a.new_variable()};
       if (a.has("by"))
         step.script = verb::Script{.file = a.file(), .arguments = a.words()};
       else
         step.text = a.text();
       return step;
     },
     .needs = "python3"},
    {.form = "segment-size BYTES",
     .says = "the client may send BYTES bytes of data in a segment of the connection (TCP_MAXSEG)",
     // A number of the same size as a port.
     .read = [](Arguments& a) -> Action { return verb::SegmentSize{a.port()}; }},
    {.form = "answers within TIME",
     .says = "the time that an answer has, from here on (60 s at first)",
     .read = [](Arguments& a) -> Action { return verb::Answers{a.after("within").time()}; }},
    {.form = "close",
     .says = "closes the connection",
     .read = [](Arguments&) -> Action { return verb::Close{}; }},
    {.form = "expect-close",
     .says = "the server closes the connection without a further byte",
     .read = [](Arguments&) -> Action { return verb::ExpectClose{}; }},
    {.form = "expect-refused ADDRESS PORT [from ADDRESS]",
     .says =
         "the port is closed, or a filter drops what is sent to it; it is a failure if the machine is off "
         "or cannot be reached",
     .read = [](Arguments& a) -> Action {
       return verb::ExpectRefused{
           .address = a.word(), .port = a.port(), .from = a.has("from") ? a.word() : Text{}};
     }},
};

constexpr Verb kFlow[] = {
    {.form = "set NAME = TEXT",
     .says = "sets a variable; TEXT may be empty",
     .read = [](Arguments& a) -> Action {
       std::string name = a.new_variable();
       a.after("=");
       return verb::Set{.name = std::move(name), .value = a.at_end() ? Text{} : a.rest()};
     }},
    {.form = "check NAME contains|lacks|equals|matches TEXT",
     .says = "compares the value of a variable; with `matches`, TEXT is a regular expression",
     .read = [](Arguments& a) -> Action {
       using verb::Comparison;
       verb::Check step{.name = a.variable(),
                        .how = a.choice<Comparison>({{"contains", Comparison::contains},
                                                     {"lacks", Comparison::lacks},
                                                     {"equals", Comparison::equals},
                                                     {"matches", Comparison::matches}}),
                        .wanted = {}};
       step.wanted = step.how == Comparison::matches ? a.regex() : a.rest();
       return step;
     }},
    {.form = "pause TIME",
     .says = "waits, such as 300ms, 2s or 5m",
     .read = [](Arguments& a) -> Action { return verb::Pause{a.time()}; }},
    {.form = "wait TIME until",
     .says = "repeats the lines up to `end`, once a second, until all of them succeed; fails after TIME",
     .read = [](Arguments& a) -> Action {
       const verb::WaitUntil step{a.time()};
       a.after("until");
       return step;
     },
     .has_block = true},
    {.form = "each NAME… in FILE [where NAME is TEXT]",
     .says =
         R"(plays the lines up to `end` once for each line of the table FILE beside the dialogue, or only )"
         R"(for those whose field NAME is TEXT, or for each row of a table of the site, site:NAME, see below; the fields, separated by one tab each, are the variables )"
         R"((\r \n \t \0 \\ \" \xHH as in >raw); # begins a comment)",
     .read = [](Arguments& a) -> Action {
       verb::Each step{.columns = a.words_before("in"), .file = a.file()};
       if (!a.has("where")) return step;
       step.condition = verb::Condition{.column = a.plain_word(), .value = a.after("is").word()};
       const bool known = std::ranges::find(step.columns, step.condition->column) != step.columns.end();
       if (!known) a.refuse();
       return step;
     },
     .has_block = true},
    {.form = "include FILE.part NAME=VALUE…",
     .says = R"(plays the lines of a fragment, see below; NAME="TEXT" if there are blanks in it (\" is a )"
             R"(quote); after a \ at the end, it continues in the next line)",
     .read = [](Arguments& a) -> Action { return a.include(); }},
};

constexpr Verb kSurroundings[] = {
    {.form = "received within TIME to ADDRESS as NAME",
     .says = "a peer has received mail for ADDRESS: sets NAME, NAME.from, NAME.helo and NAME.tls (yes, no)",
     .read = [](Arguments& a) -> Action {
       return verb::Received{.within = a.after("within").time(),
                             .address = a.after("to").word(),
                             .name = a.after("as").new_variable({".from", ".helo", ".tls"})};
     }},
    {.form = "not-received within TIME to ADDRESS",
     .says = "no peer receives mail for ADDRESS",
     .read = [](Arguments& a) -> Action {
       return verb::NotReceived{.within = a.after("within").time(), .address = a.after("to").word()};
     }},
    {.form = "verify-dkim NAME domain DOMAIN algorithms NAME,NAME",
     .says = "dkimpy accepts the signatures of the message NAME, with the keys of the printed zone; such as "
             "`algorithms rsa-sha256,ed25519-sha256`",
     .read = [](Arguments& a) -> Action {
       return verb::VerifyDkim{.message = a.variable(),
                               .domain = a.after("domain").word(),
                               .algorithms = a.after("algorithms").word()};
     },
     .needs = "python3-dkim, python3-nacl"},
    {.form = "oracle PROGRAM [ARGUMENT…]",
     .says = "runs oracles/PROGRAM.py in the network of the world; it succeeds, and its output is the reply "
             "just read",
     .read = [](Arguments& a) -> Action {
       return verb::Oracle{.program = a.program(), .arguments = a.words()};
     },
     .needs = "python3"},
    {.form = "oracle-begin PROGRAM [ARGUMENT…]",
     .says = "starts oracles/PROGRAM.py; the dialogue continues meanwhile",
     .read = [](Arguments& a) -> Action {
       return verb::OracleBegin{.program = a.program(), .arguments = a.words()};
     },
     .needs = "python3"},
    {.form = "oracle-end within TIME",
     .says = "the program started by `oracle-begin` ends with success; its output is the reply just read",
     .read = [](Arguments& a) -> Action { return verb::OracleEnd{a.after("within").time()}; }},
    {.form = "ports-open ADDRESS PORT…",
     .says = "of the TCP ports 1 to 1024 and other well-known ones, exactly these accept connections, and "
             "nothing answers over UDP to a question for DNS, NTP, multicast DNS or LLMNR",
     .read = [](Arguments& a) -> Action { return verb::PortsOpen{.address = a.word(), .ports = a.ports()}; }},
    {.form = "ssh ADDRESS KEY-FILE COMMAND",
     .says = "logs in as root and runs the command, which succeeds; its output is the reply just read",
     .read = [](Arguments& a) -> Action {
       return verb::Ssh{.address = a.word(), .key_file = a.word(), .command = a.rest()};
     },
     .needs = "openssh-client"},
    {.form = "ssh-refuses ADDRESS METHOD",
     .says = "the server refuses root and does not offer METHOD, such as password or keyboard-interactive",
     .read = [](Arguments& a) -> Action { return verb::SshRefuses{.address = a.word(), .method = a.word()}; },
     .needs = "openssh-client"},
};

constexpr Verb kMachine[] = {
    {.form = "reboot",
     .says = "presses the power button, and powers on again",
     .read = [](Arguments&) -> Action { return verb::Reboot{}; }},
    {.form = "power-cut [off]",
     .says = "pulls the plug, and powers on again unless `off`",
     .read = [](Arguments& a) -> Action { return verb::PowerCut{.stays_off = a.has("off")}; }},
    {.form = "power-off",
     .says = "presses the power button, and waits until the machine is off",
     .read = [](Arguments&) -> Action { return verb::PowerOff{}; }},
    {.form = "power-on",
     .says = "powers on, and waits for nothing",
     .read = [](Arguments&) -> Action { return verb::PowerOn{}; }},
    {.form = "wait-boot [within TIME]",
     .says = "waits until SMTP and IMAPS have greeted, 5m if nothing is said",
     .read = [](Arguments& a) -> Action {
       return verb::WaitBoot{a.has("within") ? a.time() : std::chrono::minutes(5)};
     }},
    {.form = "wait-serial within TIME REGEX",
     .says = "waits until the console has shown it since the last power-on",
     .read = [](Arguments& a) -> Action {
       return verb::WaitSerial{.within = a.after("within").time(), .regex = a.regex()};
     }},
    {.form = "serial has|lacks REGEX",
     .says = "the console has shown this since the last power-on, or not",
     .read = [](Arguments& a) -> Action {
       return verb::Serial{.has = a.choice<bool>({{"has", true}, {"lacks", false}}), .regex = a.regex()};
     }},
    {.form = "screen has|lacks REGEX",
     .says =
         "the same for the lines on the VGA screen in text mode, and those that were scrolled out of it last",
     .read = [](Arguments& a) -> Action {
       return verb::Screen{.has = a.choice<bool>({{"has", true}, {"lacks", false}}), .regex = a.regex()};
     }},
    {.form = "press KEY…",
     .says = "presses keys one after the other, by QEMU's names (esc, ret, a, shift-a)",
     .read = [](Arguments& a) -> Action { return verb::Press{a.plain_words()}; }},
};

constexpr Verb kDisk[] = {
    {.form = "journal has|lacks|except REGEX, journal no-errors|no-failed-units",
     .says = "entries of the journal, written `identifier: message`; `no-errors`: none of priority err or "
             "worse but those that `except` named before; `no-failed-units`: systemd reports no failed unit",
     .read = [](Arguments& a) -> Action {
       using verb::JournalCheck;
       verb::Journal step{
           .what = a.choice<JournalCheck>({{"has", JournalCheck::has},
                                           {"lacks", JournalCheck::lacks},
                                           {"except", JournalCheck::except},
                                           {"no-errors", JournalCheck::no_errors},
                                           {"no-failed-units", JournalCheck::no_failed_units}}),
           .regex = {}};
       if (step.what < JournalCheck::no_errors) step.regex = a.regex();
       return step;
     },
     .needs = "systemd, e2fsprogs"},
    {.form = "disk-size SIZE, such as 4G",
     .says = "the disk gets this size",
     .read = [](Arguments& a) -> Action { return verb::DiskSize{a.size()}; }},
    {.form = "other-disk LABEL",
     .says = "adds another disk, which the system finds first, with an ext4 in a partition of this label and "
             "of the type of our data partition",
     .read = [](Arguments& a) -> Action { return verb::OtherDisk{a.plain_word()}; },
     .needs = "e2fsprogs, fdisk"},
    {.form = "write-image whole|slots",
     .says =
         "writes the image over the disk again: all of it, or all but the partition table and its copy, as "
         "in docs/change.md",
     .read = [](Arguments& a) -> Action {
       return verb::WriteImage{a.choice<bool>({{"whole", true}, {"slots", false}})};
     }},
    {.form = "write-disk PLACE \"BYTES\", PLACE such as 2G+1024",
     .says = "writes these bytes at that place of the disk (escapes as in >raw)",
     .read = [](Arguments& a) -> Action {
       return verb::WriteDisk{.place = a.place(), .bytes = a.plain_quoted_bytes()};
     }},
    {.form = "debugfs REQUEST",
     .says = "debugfs(8) executes a request on the data partition's file system, and may change it; its "
             "output is the reply just read",
     .read = [](Arguments& a) -> Action { return verb::Debugfs{a.rest()}; },
     .needs = "e2fsprogs"},
    {.form = "copied-disk attach|detach|unchanged",
     .says = "adds another disk, which the system finds first, a copy of this one as it is now; removes it; "
             "or compares the disk and its copy, which are still the same",
     .read = [](Arguments& a) -> Action {
       using verb::Copy;
       return verb::CopiedDisk{a.choice<Copy>(
           {{"attach", Copy::attach}, {"detach", Copy::detach}, {"unchanged", Copy::unchanged}})};
     }},
    {.form = "data-partition sound|fills-disk",
     .says = "e2fsck finds no fault in it; or, by sfdisk and dumpe2fs, it and its file system extend to the "
             "end of the disk",
     .read = [](Arguments& a) -> Action {
       using verb::DataCheck;
       return verb::DataPartition{
           a.choice<DataCheck>({{"sound", DataCheck::sound}, {"fills-disk", DataCheck::fills_disk}})};
     },
     .needs = "e2fsprogs, fdisk"},
};

constexpr VerbGroup kGroups[] = {
    {"Conversation", kConversation},
    {"Variables, blocks and time", kFlow},
    {"Mail, programs and ports around the machine", kSurroundings},
    {"The machine", kMachine},
    {"The disk of a machine that is off", kDisk},
};

}  // namespace

std::span<const VerbGroup> verb_groups() {
  return kGroups;
}

const Verb* find_verb(std::string_view keyword) {
  for (const VerbGroup& group : kGroups)
    for (const Verb& verb : group.verbs)
      if (verb.keyword() == keyword) return &verb;
  return nullptr;
}

}  // namespace mailstead::mailtest
