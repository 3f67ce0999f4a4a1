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

verbs=$("$MAILSTEAD" --help | awk '/^Subcommands:/ {inside = 1; next} /^[^ ]/ {inside = 0} inside && NF {print $1}')
[ "$(wc -w <<<"$verbs")" -ge 8 ]
expect 0 "$MAILSTEAD" --help
expect 0 "$MAILSTEAD" --version
expect 2 "$MAILSTEAD"
expect 2 "$MAILSTEAD" no-such-verb
for verb in $verbs; do
  expect 0 "$MAILSTEAD" "$verb" --help
  expect 2 "$MAILSTEAD" "$verb" --no-such-option
done

# Results that cannot be written are no success, and it says so.
for words in completion --help; do
  expect 1 bash -c "\"\$MAILSTEAD\" $words >/dev/full"
  ("$MAILSTEAD" $words >/dev/full) 2>&1 | grep -q 'could not be written to standard output'
done
expect 2 "$MAILSTEAD" build mail.yaml -o ''
expect 2 "$MAILSTEAD" check ''
# An option takes what belongs to it, and no more.
said=$("$MAILSTEAD" test --set a=1 none.img --spec none.yaml 2>&1) || true
grep -qF 'there is no image none.img' <<<"$said"
expect 2 "$MAILSTEAD" test none.img --spec none.yaml --patience nan

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
offered 'none' --progress n
offered '' build mai    # left to file names
