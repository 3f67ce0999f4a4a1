#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Servers that refuse, logins, and the security archive, with archives of our own on 127.0.0.1.
set -eux
# File systems and a keyring of its own are seen in a namespace of its own only, and need no root there.
if [ "${1-}" != inside ]; then exec unshare -rm "$0" inside; fi
cd "$WORK"
cache=${MAILSTEAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mailstead}
unset MAILSTEAD_MIRROR MAILSTEAD_SNAPSHOT http_proxy https_proxy no_proxy all_proxy ALL_PROXY
rm -rf refusals && mkdir -p refusals/cache
trap 'jobs -p | xargs -r kill' EXIT
# What has been fetched does not fit here unpacked, so that a build ends as soon as it has everything.
mount -t tmpfs -o mode=755,size=60M tmpfs refusals/cache
fetched='the unpacked packages need'
lacking='acpid adduser dash hostname nftables postfix sed tzdata'

# serve NAME: sets $folder and $origin, an archive with the faults on standard input
serve() {
  folder=refusals/$1
  mkdir "$folder"
  cat >"$folder/faults"
  local held
  # shellcheck disable=SC2034  # a descriptor, held open
  exec {held}> >(exec python3 "$SOURCE/tests/system/archive-server.py" mailstead.lock "$cache/store" "$folder")
  until [ -e "$folder/port" ]; do sleep 0.1; done
  origin=http://127.0.0.1:$(cat "$folder/port")
}
# fresh: an empty cache, whose store lacks some packages
fresh() {
  rm -rf refusals/cache/* refusals/store
  mkdir -p refusals/store
  mkdir -p refusals/scratch
  ln -s "$PWD/refusals/store" "$PWD/refusals/scratch" refusals/cache/
  cp -rl "$cache/store/sha256" refusals/store/ 2>/dev/null || cp -r "$cache/store/sha256" refusals/store/
  for name in $lacking; do
    digest=$(awk -v name="$name" '$1 == "package" && $2 == name {print $8}' mailstead.lock)
    rm "refusals/store/sha256/${digest::2}/$digest"
  done
}
# APT sources of a machine of its own, which name these addresses in turn
sources() {
  mkdir -p refusals/apt/sources.list.d refusals/apt/apt.conf.d
  printf 'Dir::Etc "%s/refusals/apt/";\n' "$PWD" >refusals/apt.conf
  printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\n\nTypes: deb\nURIs: %s\nSuites: trixie-security\nComponents: main\n' \
    "$(printf '%s/debian ' "$@")" "$(printf '%s/debian-security ' "$@")" >refusals/apt/sources.list.d/debian.sources
}
# mailstead WORD…: with these sources and that cache; what it said is in said.txt
mailstead() {
  APT_CONFIG=$PWD/refusals/apt.conf MAILSTEAD_CACHE=$PWD/refusals/cache "$MAILSTEAD" "$@" 2>refusals/said.txt
}
refused() { # TEXT WORD…
  local got=0 text=$1
  shift
  mailstead "$@" || got=$?
  cat refusals/said.txt
  [ "$got" = 1 ]
  grep -F -- "$text" refusals/said.txt
  [ ! -e refusals/x.img ]
}
with_login() {
  echo "http://user:p%40ss%2Fw@${1#http://}"
}
lacks() { # TEXT: is not said
  if grep -E -- "$1" refusals/said.txt; then return 1; fi
}
silent() { # nothing of a login is shown
  lacks 'p@ss|p%40ss|user:'
}

# The first mirror refuses in each way: everything comes from the second, and a login is shown nowhere.
serve good </dev/null
good=$origin
for fault in 401 403 407 451 page; do
  serve "first-$fault" <<<"mirror * $fault"
  sources "$(with_login "$origin")" "$good"
  fresh
  refused "$fetched" build mail.yaml -o refusals/x.img --snapshot none
  silent
  # All refuse: each is named with its reason, once.
  sources "$(with_login "$origin")"
  fresh
  refused "$origin/debian" build mail.yaml -o refusals/x.img --snapshot "$good"
  lacks 'no longer on the mirrors'
  [ "$(grep -c '^mailstead: ' refusals/said.txt)" = 1 ]
  [ "$(sed -n '/^mailstead: /,$p' refusals/said.txt | wc -l)" -le 8 ]
  silent
  rm -rf refusals/new && mkdir refusals/new && cp mail.yaml refusals/new/
  refused "$origin/debian" lock refusals/new/mail.yaml
  lacks 'is not signed'
  silent
done

# An archive that wants a login: in the address, in auth.conf, by --mirror; never on a command line.
serve login </dev/null
echo 'user:p@ss/w' >"$folder/login"
for way in address auth option; do
  sources "$origin"
  options=()
  rm -f refusals/apt/auth.conf
  case $way in
    address) sources "$(with_login "$origin")" ;;
    auth) (umask 077 && echo "machine $origin login user password p@ss/w" >refusals/apt/auth.conf) ;;
    option) options=(--mirror "$(with_login "$origin")/debian $(with_login "$origin")/debian-security") ;;
  esac
  fresh
  refused "$fetched" build mail.yaml -o refusals/x.img --snapshot none "${options[@]}"
  silent
  # What has the login is for its owner alone.
  if found=$(grep -rlE 'p@ss|p%40ss' refusals/cache); then
    # shellcheck disable=SC2086  # files
    [ -z "$(find $found -perm /077)" ]
  fi
done
rm -f refusals/apt/auth.conf

# The security archive, signed by a key of this test in the place of Debian's.
export GNUPGHOME=$PWD/refusals/gpg
(umask 077 && mkdir "$GNUPGHOME")
gpg --batch --quiet --passphrase '' --quick-gen-key archive@example.org rsa2048 sign never
gpg --batch --quiet --output refusals/keyring.gpg --export
serve security </dev/null
suite=$folder/www/debian-security/dists/trixie-security
mkdir -p "$suite/main/binary-amd64"
postfix=$(awk '$1 == "package" && $2 == "postfix" {print $3}' mailstead.lock)
publish() { # VERSION: of postfix
  printf 'Package: postfix\nVersion: %s\nArchitecture: amd64\nFilename: pool/x.deb\nSize: 1\nSHA256: %064d\n\n' "$1" 0 \
    >"$suite/main/binary-amd64/Packages"
  (
    printf 'Origin: Test\nLabel: Test\nSuite: stable-security\nCodename: trixie-security\nDate: %s\nValid-Until: %s\n' \
      "$(date -uR -d '-1 hour' | sed 's/+0000/UTC/')" "$(date -uR -d '+7 days' | sed 's/+0000/UTC/')"
    printf 'Architectures: amd64\nComponents: main\nSHA256:\n %s %s main/binary-amd64/Packages\n' \
      "$(sha256sum <"$suite/main/binary-amd64/Packages" | cut -d' ' -f1)" "$(stat -c %s "$suite/main/binary-amd64/Packages")"
  ) >"$suite/Release"
  gpg --batch --quiet --yes --digest-algo SHA256 --output "$suite/InRelease" --clearsign "$suite/Release"
}
mount --bind refusals/keyring.gpg /usr/share/keyrings/debian-archive-keyring.gpg
sources "$origin"
fresh
audited() { # CODE EXPECTED WORD…: what it prints
  local code=$1 expected=$2 got=0 printed
  shift 2
  printed=$(mailstead audit "$@") || got=$?
  cat refusals/said.txt
  [ "$got" = "$code" ]
  grep -F -- "$expected" <<<"$printed"
}
got=0
mailstead audit mailstead.lock --offline || got=$?
[ "$got" = 2 ]
grep -F 'the security archive has never been asked' refusals/said.txt
publish "$postfix"
audited 0 '0 of' mailstead.lock
audited 0 '0 of' demo.img
publish "$postfix+fixed"
audited 1 "postfix $postfix -> $postfix+fixed" mailstead.lock
audited 1 "postfix $postfix -> $postfix+fixed" demo.img
audited 1 "\"fixed\": \"$postfix+fixed\"" mailstead.lock --json
# 1 says that there are updates.
got=0
mailstead audit mailstead.lock --json >refusals/audit.json || got=$?
test "$got" = 1
python3 -m json.tool refusals/audit.json >/dev/null
# It is known for a day without asking, and offline; `check` and `build` warn, and end well.
requests=$(wc -l <"$folder/log")
warning="1 package has security updates: postfix $postfix (fixed: $postfix+fixed)"
mailstead check mail.yaml
grep -F -- "$warning" refusals/said.txt
for made in bases tools sieve; do ln -s "$cache/$made" refusals/cache/; done
mailstead build mail.yaml --offline -o refusals/x.img
grep -F -- "$warning" refusals/said.txt
cmp demo.img refusals/x.img
audited 1 "$postfix+fixed" mailstead.lock --offline
[ "$(wc -l <"$folder/log")" = "$requests" ]
# An archive that refuses leaves what is known, and from when.
echo 'mirror * 403' >"$folder/faults"
audited 1 "$postfix+fixed" mailstead.lock
grep -F 'the security archive cannot be asked: ' refusals/said.txt
grep -F 'security updates are known until ' refusals/said.txt
rm -r refusals/cache/security
mailstead check mail.yaml
grep -F 'Security updates are not known: ' refusals/said.txt
requests=$(wc -l <"$folder/log")
mailstead check mail.yaml
[ "$(wc -l <"$folder/log")" = "$requests" ]
umount refusals/cache
rm -rf refusals
