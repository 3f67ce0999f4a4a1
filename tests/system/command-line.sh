#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How the program behaves as a command: help, exit codes, completion.
set -eu

expect() { # CODE COMMAND…
  local code=$1 got=0
  shift
  "$@" >/dev/null 2>&1 || got=$?
  [ "$got" = "$code" ] || { echo "exit code $got, expected $code: $*"; exit 1; }
}

# says CODE TEXT COMMAND…: ends with that code and prints that whole line on stderr
says() {
  local code=$1 text=$2 got=0 said
  shift 2
  said=$("$@" 2>&1 >/dev/null) || got=$?
  [ "$got" = "$code" ] || { echo "exit code $got, expected $code: $*"; exit 1; }
  grep -qxF -- "$text" <<<"$said" || { echo "'$*' did not say: $text"; echo "$said"; exit 1; }
}

verbs=$("$MAILSTEAD" --help | awk '/^Subcommands:/ {inside = 1; next} /^[^ ]/ {inside = 0} inside && /^  [a-z]/ {print $1}')
[ "$(wc -w <<<"$verbs")" -ge 8 ]
expect 0 "$MAILSTEAD" --help
expect 0 "$MAILSTEAD" --version
expect 2 "$MAILSTEAD"
expect 2 "$MAILSTEAD" no-such-verb
says 2 "mailstead: no command was given" "$MAILSTEAD"
says 2 "mailstead: there is no command 'chek'; did you mean 'check'?" "$MAILSTEAD" chek mail.yaml
says 2 "  \`$MAILSTEAD help\` lists the commands" "$MAILSTEAD" chek mail.yaml
says 2 "mailstead: there is no command 'biuld'; did you mean 'build'?" "$MAILSTEAD" --progress plain biuld
says 2 "mailstead: there is no command 'frobnicate'" "$MAILSTEAD" frobnicate --json
says 2 "mailstead: \`mailstead\` has no option '--vresion'; did you mean '--version'?" "$MAILSTEAD" --vresion
says 2 "mailstead: \`mailstead build\` has no option '--ofline'; did you mean '--offline'?" "$MAILSTEAD" build mail.yaml --ofline
says 2 "  \`$MAILSTEAD help build\` lists them" "$MAILSTEAD" build --ofline=1
says 2 "mailstead: 'b.yaml' is one argument too many" "$MAILSTEAD" check a.yaml b.yaml
says 2 "mailstead: SPEC is required" "$MAILSTEAD" check
says 2 "  \`$MAILSTEAD help check\` describes its options and arguments" "$MAILSTEAD" check
says 2 "mailstead: there is no command 'CHECK'; did you mean 'check'?" "$MAILSTEAD" CHECK mail.yaml
says 2 "mailstead: --color: 'bad' is not one of auto, always, never" "$MAILSTEAD" --color=bad check mail.yaml
says 2 "mailstead: --color: 'bad' is not one of auto, always, never" "$MAILSTEAD" check mail.yaml --color bad
says 2 "mailstead: --progress: 'bad' is not one of auto, terminal, plain, json, none" "$MAILSTEAD" --progress bad check mail.yaml
says 2 "mailstead: --output needs a value" "$MAILSTEAD" build mail.yaml -o
says 2 "mailstead: --cpus: '0' is not a number from 1 to 64" "$MAILSTEAD" test a.img --spec mail.yaml --cpus 0
says 2 "mailstead: --patience: '0' is not a number from 0.1 to 100" "$MAILSTEAD" test a.img --spec mail.yaml --patience 0
says 2 "mailstead: COMMAND and --man cannot be given together" "$MAILSTEAD" help check --man
said=$("$MAILSTEAD" help test)
grep -qxF "$(printf '%-30s%s' '  --cpus N' 'processors of the machine (1 to 64; default: 2)')" <<<"$said"
grep -qF 'Common options: --progress, --color' <<<"$said"
"$MAILSTEAD" help init | tr -s ' \n' ' ' |
  grep -qF -- '--dhcp get the addresses by DHCP and router advertisement (not together with --address, --gateway) '
[ "$("$MAILSTEAD" help | grep -cF -- '--color auto|always|never')" = 1 ]
[ "$("$MAILSTEAD" help | grep -cF 'Common options')" = 0 ]
[ "$("$MAILSTEAD" help)" = "$("$MAILSTEAD" --help)" ]
[ "$("$MAILSTEAD" help check)" = "$("$MAILSTEAD" check --help)" ]
[ "$("$MAILSTEAD" help help)" = "$("$MAILSTEAD" help --help)" ]
says 2 "mailstead: there is no command 'chek'; did you mean 'check'?" "$MAILSTEAD" help chek
[ "$("$MAILSTEAD" -v)" = "$("$MAILSTEAD" --version)" ]
for verb in $verbs; do
  expect 0 "$MAILSTEAD" "$verb" --help
  expect 2 "$MAILSTEAD" "$verb" --no-such-option
done

# Results that cannot be written are no success, and it says so.
for words in completion 'completion zsh' --help --version explain 'explain --schema' 'help --man'; do
  says 1 'mailstead: the result could not be written to standard output: No space left on device' \
    bash -c "\"\$MAILSTEAD\" $words 2>&1 >/dev/full | cat >&2; exit \"\${PIPESTATUS[0]}\""
done
expect 2 "$MAILSTEAD" build mail.yaml -o ''
expect 2 "$MAILSTEAD" check ''
for verb in check build keys dns lock; do
  says 2 "mailstead: SPEC: a spec cannot be read from standard input, because its keys and its lock lie beside it: name the file (./- for a file of that name)" \
    "$MAILSTEAD" $verb -
done
# The keys of the spec: all, one, several of one name, none.
"$MAILSTEAD" explain | grep -q '^hostname  *The full name of the machine'
"$MAILSTEAD" explain network.mtu | grep -qxF '  Type:     number, 1280 to 9000 (IPv6 requires 1280; Ethernet has 1500, many cloud networks 1450)'
[ "$("$MAILSTEAD" explain domains.example.org.dkim)" = "$("$MAILSTEAD" explain 'domains.*.dkim')" ]
[ "$("$MAILSTEAD" explain card | grep -c '^network.*card$')" = 2 ]
[ "$("$MAILSTEAD" explain quota --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["key"])')" = 'accounts.*.quota' ]
"$MAILSTEAD" explain --schema | cmp - "$SOURCE/docs/mailstead.schema.json"
says 2 "mailstead: there is no key 'qouta'; did you mean 'quota'?" "$MAILSTEAD" explain qouta
says 2 "mailstead: there is no key 'netwrok.mtu'; did you mean 'network.mtu'?" "$MAILSTEAD" explain netwrok.mtu
says 2 "  \`$MAILSTEAD explain\` lists the keys of a spec" "$MAILSTEAD" explain frobnicate
# A password is hashed, and told to be weak.
says 0 'warning: the password has only 3 characters; anyone can try to log in to a mail server, so choose a longer one' \
  bash -c 'echo abc | "$MAILSTEAD" passwd'
[ -z "$(echo 'correct horse battery' | "$MAILSTEAD" passwd 2>&1 >/dev/null)" ]
[ "$(echo | "$MAILSTEAD" passwd 2>&1)" = "mailstead: the password is empty" ]
# An option takes what belongs to it, and no more.
got=0
said=$("$MAILSTEAD" test --set a=1 none.img --spec none.yaml 2>&1) || got=$?
[ "$got" = 2 ] || { echo "exit code $got, expected 2"; exit 1; }
grep -qF 'there is no image none.img' <<<"$said"
expect 2 "$MAILSTEAD" test none.img --spec none.yaml --patience nan

# Random passwords, each with a hash that crypt(3) agrees to.
"$MAILSTEAD" passwd --generate 3 | perl -ane '
  die "not a password and its hash: $_" unless @F == 2 && $F[0] =~ /^[a-z2-9-]{19}$/ && crypt($F[0], $F[1]) eq $F[1];
  END { die "$. lines" unless $. == 3 }'
[ "$("$MAILSTEAD" passwd --generate | wc -l)" = 1 ]
for wrong in 0 -1 x 1001; do expect 2 "$MAILSTEAD" passwd --generate "$wrong"; done
[ "$(echo geheim | "$MAILSTEAD" passwd | cut -c 1-3)" = '$y$' ]
head -c 100000 /dev/zero | expect 2 "$MAILSTEAD" passwd

# complete WORD…: what is offered for the last of the words
# shellcheck source=/dev/null
source <("$MAILSTEAD" completion)
complete_words() {
  COMP_WORDS=(mailstead "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _mailstead
  echo "${COMPREPLY[*]}"
}
offered() { # EXPECTED WORD…
  local expected=$1
  shift
  local got
  got=$(complete_words "$@")
  [ "$got" = "$expected" ] || { echo "for '$*': '$got', expected '$expected'"; exit 1; }
}
offered "$(xargs <<<"$verbs")" ''
offered 'build' bu
offered '--offline --output' build mail.yaml --o
offered '--output' build --offline --ou
offered '--dhcp --domain' init site --d
offered 'none' --progress n
offered 'never' --color n
offered 'fish' completion f
offered 'spdx' sbom --format s
offered 'never' build mail.yaml --color n
offered 'build' help bu
offered '' build mai    # left to file names
offered 'network network.card network.dhcp network.addresses network.gateway network.nameservers network.unsigned_zones network.mtu network.private network.private.card network.private.dhcp network.private.addresses network.private.mtu' explain netw

# Help and messages wrap between words, at the width of COLUMNS or of the terminal; examples stay on one line.
unset NO_COLOR COLUMNS
export TERM=xterm
for verb in '' $verbs; do
  # shellcheck disable=SC2086  # no word for the program's own help
  COLUMNS=60 "$MAILSTEAD" help $verb | awk -v verb="$verb" '
    /^Examples?:/ {example = 1; seen = 1; next} !/^  / {example = 0}
    !example && length > 60 {print "help " verb ": a long line: " $0; bad = 1}
    END {if (!seen) print "help " verb " has no example"; exit bad || !seen}'
done

said=$(COLUMNS=50 "$MAILSTEAD" help sbom)
grep -qxF '    spdx (2.3) or cyclonedx (1.6), both JSON' <<<"$said"

# Colours: on terminals only, unless someone says otherwise.
colored() { # yes|no COMMAND…, which is a mistake
  local expected=$1 found=no got=0 said
  shift
  said=$("$@" 2>&1) || got=$?
  [ "$got" = 2 ] || { echo "exit code $got, expected 2: $*"; exit 1; }
  grep -q $'\033\\[3[0-9]m' <<<"$said" && found=yes
  [ "$found" = "$expected" ] || { echo "colours: $found, expected $expected: $*"; exit 1; }
}
terminal=("$SOURCE/tests/system/terminal.py" /dev/null)
colored yes "${terminal[@]}" "$MAILSTEAD" chek
colored no "${terminal[@]}" env NO_COLOR=1 "$MAILSTEAD" chek
colored no "${terminal[@]}" env TERM=dumb "$MAILSTEAD" chek
colored no "${terminal[@]}" "$MAILSTEAD" --color never chek
colored yes "${terminal[@]}" env NO_COLOR=1 "$MAILSTEAD" --color=always chek
colored no "$MAILSTEAD" chek
colored yes "$MAILSTEAD" check --color always none.yaml
colored no "$MAILSTEAD" check --color auto none.yaml
expect 2 "$MAILSTEAD" --color blue help
says 2 'mailstead: --offline takes no value' "$MAILSTEAD" check x.yaml --offline=maybe
says 2 "  \`$MAILSTEAD help\` describes the options" "$MAILSTEAD" check x.yaml --progress blue
says 2 "  \`$MAILSTEAD help build\` describes its options and arguments" "$MAILSTEAD" build
# Whatever the value, and however long.
says 2 "mailstead: --cpus: '0' is not a number from 1 to 64" "$MAILSTEAD" test x.img --spec y --cpus 0
expect 2 "$MAILSTEAD" --color="$(head -c 120000 /dev/zero | tr '\0' a)" help
expect 2 "$MAILSTEAD" build x.yaml --color $'a\nb\xff'

# What was stopped exits with 128 and the signal.
python3 - "$MAILSTEAD" <<'PY'
import signal, subprocess, sys, time
for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
    child = subprocess.Popen([sys.argv[1], "passwd"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    def is_caught():
        with open(f"/proc/{child.pid}/status") as status:
            caught = next(line for line in status if line.startswith("SigCgt:")).split()[1]
        return int(caught, 16) >> (number - 1) & 1
    while not is_caught():
        time.sleep(0.01)
    child.send_signal(number)
    said = child.communicate(timeout=30)[1]
    if child.returncode != 128 + number or said != b"mailstead: interrupted; no partial output was left\n":
        sys.exit(f"{number}: exit code {child.returncode}, {said}")
PY

# `run` leaves the terminal as it was, though QEMU is killed before it could do so.
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
# Hints name the program as it was called.
ln -s "$MAILSTEAD" "$work/stead"
(cd "$work" && says 2 "  \`./stead help\` lists the commands" ./stead chek)
(PATH=$work:$PATH && says 2 "  \`stead help build\` lists them" stead build --ofline)
# No control character of a file's name or of the program's own reaches the terminal.
red=$'\033[31m'
cp "$SOURCE/profiles/examples/small.yaml" "$work/$red.yaml"
ln -s "$MAILSTEAD" "$work/$red"
for words in "check ./$red.yaml" help nothing "check ./$red.none"; do
  # shellcheck disable=SC2086  # words of a command
  if (cd "$work" && "./$red" $words 2>&1) | grep -F "$red"; then exit 1; fi
done
(cd "$work" && ./stead check "$red.yaml" 2>/dev/null) | grep -qxF '\x1b[31m.yaml is a valid spec. The server will be:'
# Messages wrap, commands to copy do not.
got=0
said=$(cd "$work" && COLUMNS=50 ./stead check - 2>&1) || got=$?
[ "$got" = 2 ] || { echo "exit code $got, expected 2"; exit 1; }
[ "$said" = "mailstead: SPEC: a spec cannot be read from
    standard input, because its keys and its lock
    lie beside it: name the file (./- for a file
    of that name)
  \`./stead help check\` describes its options and
    arguments" ] || { echo "not wrapped as expected: $said"; exit 1; }
mkdir "$work/bin"
cat >"$work/bin/qemu-system-x86_64" <<'PY'
#!/usr/bin/python3
import re, socket, sys, time, tty
monitor = socket.socket(fileno=int(re.search(r"id=monitor,fd=(\d+)", " ".join(sys.argv)).group(1)))
monitor.sendall(b'{"QMP": {}}\r\n')
monitor.recv(4096)
tty.setraw(0)
monitor.sendall(b'{"return": {}}\r\n')
time.sleep(60)
PY
chmod 755 "$work/bin/qemu-system-x86_64"
python3 - "$work/disk.img" <<'PY'
import sys
with open(sys.argv[1], "wb") as disk:
    disk.write(b"\0" * 510 + b"\x55\xaa" + b"EFI PART" + b"\0" * 65536)
PY
PATH=$work/bin:$PATH MAILSTEAD_ACCEL=tcg python3 - "$MAILSTEAD" "$work/disk.img" <<'PY'
import fcntl, os, pty, signal, subprocess, sys, termios, time
for signal_number in signal.SIGTERM, signal.SIGHUP:
    controller, terminal = pty.openpty()
    def lead():
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    before = termios.tcgetattr(terminal)
    child = subprocess.Popen([sys.argv[1], "run", sys.argv[2]], stdin=terminal, stderr=subprocess.DEVNULL,
                             preexec_fn=lead)
    for _ in range(300):
        if termios.tcgetattr(terminal) != before:
            break
        time.sleep(0.1)
    else:
        sys.exit("QEMU has not started")
    child.send_signal(signal_number)
    child.wait(30)
    if termios.tcgetattr(terminal) != before:
        sys.exit("the terminal is not as it was")
PY
