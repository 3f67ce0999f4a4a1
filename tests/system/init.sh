#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A first site, made by flags and by questions on a terminal; what comes of it is valid and builds.
set -eux
place=$WORK/init
rm -rf "$place"
mkdir -p "$place"
cd "$place"
key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKr0C1TCRvDB8J0pqG1GpJAZKt7w4sQbU6t3XmZ3vQ2H admin: #1'

# refuse CODE TEXT COMMAND…: it ends so, says that, and makes nothing
refuse() {
  local code=$1 text=$2 got=0
  shift 2
  "$@" >said.txt 2>&1 </dev/null || got=$?
  cat said.txt
  [ "$got" = "$code" ] || { echo "exit code $got, expected $code"; exit 1; }
  grep -F -- "$text" said.txt
  test ! -e none
  test -z "$(find . -maxdepth 1 -name 'mailstead.*')"
}

# password_fits SPEC ADDRESS PASSWORD: by crypt(3), which we did not write
password_fits() {
  local hash
  hash=$(awk -v address="  $2:" '$0 == address {inside = 1} inside && /password_hash:/ {print $2; exit}' "$1" | tr -d '"')
  test "$(perl -e 'print crypt($ARGV[0], $ARGV[1])' "$3" "$hash")" = "$hash"
}

# by flags
flags=(--domain example.org --account alice --dhcp)
"$MAILSTEAD" init flags "${flags[@]}" --account bob@example.org --ssh-key "$key" --generate-passwords \
  >passwords 2>said.txt </dev/null
cat said.txt
test "$(cut -d' ' -f1 passwords | xargs)" = 'alice@example.org bob@example.org'
password_fits flags/mail.yaml alice@example.org "$(sed -n 's/^alice@example.org //p' passwords)"
password_fits flags/mail.yaml bob@example.org "$(sed -n 's/^bob@example.org //p' passwords)"
if grep -F -f <(cut -d' ' -f2 passwords) -r flags said.txt; then echo 'a password was kept'; exit 1; fi
grep -qF 'mailstead build flags/mail.yaml -o flags/mail.img' said.txt
test "$(stat -c %a flags flags/mail.yaml flags/secrets flags/secrets/tls/*/key.pem | xargs)" = '700 600 700 600'
git init -q flags
touch flags/mail.img
git -C flags add .
test "$(git -C flags ls-files | xargs)" = '.gitignore mail.yaml'
# the passwords from standard input, the folder between the flags, names that a shell and YAML read otherwise
printf 'one of two\nthe "other": #1\n' | "$MAILSTEAD" init --domain bücher.example "it's new" --domain example.org \
  --account alice@bücher.example --account bob@example.org --address 192.0.2.5/24 --address 2001:db8::5/64 --gateway 192.0.2.1 \
  --gateway fe80::1 --hostname mx.example.org --time-zone Europe/Berlin >passwords 2>said.txt
test ! -s passwords
grep -qF "mailstead run 'it'\\''s new/mail.img' --spec" said.txt
password_fits "it's new/mail.yaml" alice@bücher.example 'one of two'
password_fits "it's new/mail.yaml" bob@example.org 'the "other": #1'

# what is missing or wrong
refuse 2 'flags are missing: --domain, --account, --dhcp (or --address and --gateway)' "$MAILSTEAD" init none
refuse 2 'flags are missing: --account' "$MAILSTEAD" init none --domain example.org --dhcp
refuse 2 'no password was given for alice@example.org' "$MAILSTEAD" init none "${flags[@]}"
refuse 2 "--domain: 'org' has only one label" "$MAILSTEAD" init none --domain org --account a --dhcp
refuse 2 "--account: the domain 'exmaple.org' is not one of this site's; did you mean 'example.org'?" \
  "$MAILSTEAD" init none --domain example.org --account a@exmaple.org --dhcp
refuse 2 '--gateway' "$MAILSTEAD" init none --domain example.org --account a --address 192.0.2.5/24
refuse 2 '--dhcp' "$MAILSTEAD" init none "${flags[@]}" --address 192.0.2.5/24 --gateway 192.0.2.1
refuse 2 '--address and --gateway: the gateway 198.51.100.1 is in none of the networks' \
  "$MAILSTEAD" init none --domain example.org --account a --address 192.0.2.5/24 --gateway 198.51.100.1
refuse 2 '--ssh-key: cannot open' "$MAILSTEAD" init none "${flags[@]}" --ssh-key none.pub
refuse 2 "--time-zone: unknown time zone 'Berlin'" "$MAILSTEAD" init none "${flags[@]}" --time-zone Berlin
refuse 2 "--hostname: 'mail' has only one label" "$MAILSTEAD" init none "${flags[@]}" --hostname mail
refuse 2 'there is a spec already: flags/mail.yaml' "$MAILSTEAD" init flags "${flags[@]}" --generate-passwords
refuse 2 'mkdir -p' "$MAILSTEAD" init none/below "${flags[@]}" --generate-passwords
# a full disk leaves nothing, whatever has been written until then
mkdir small
export -f refuse
export MAILSTEAD
unshare -rm bash -eux <<'SH'
mount -t tmpfs -o size=4k tmpfs small
refuse 1 'No space left' "$MAILSTEAD" init small/site --domain example.org --account alice --dhcp --generate-passwords
test -z "$(ls -A small)"
SH

# by questions; each wrong answer is told and asked again
cat >answers <<END
Domain of the mail addresses	example_org
holds the character
Domain of the mail addresses	example.org bücher.example
Host name of the machine [mail.example.org]:	
Address of the first person	alice
is not an address
Address of the first person	alice@example.org
Address of another person	alice@example.org
was given twice
Address of another person	bob@bücher.example
Address of another person	
Addresses of the machine	192.0.2.5/24
Gateway	198.51.100.1
in none of the networks
Addresses of the machine	192.0.2.5/24
Gateway	192.0.2.1
SSH key	$key
Time zone of the logs [Etc/UTC]	Europe/Berln
did you mean 'Europe/Berlin'?
Time zone of the logs	Europe/Berlin
Password for alice@example.org	correct horse
Again	correct hoarse
The two passwords differ
Password for alice@example.org	correct horse
Again	correct horse
Password for bob@bücher.example	
Next:
END
terminal=$SOURCE/tests/system/terminal.py
"$terminal" answers "$MAILSTEAD" init asked | tee said.txt
password_fits asked/mail.yaml alice@example.org 'correct horse'
password_fits asked/mail.yaml bob@bücher.example "$(sed -n 's/^bob@bücher.example //p' said.txt)"
if grep -E 'horse|hoarse' said.txt; then echo 'a password appeared'; exit 1; fi

# a single flag is not asked for again
printf 'Domain of\texample.org\nHost name\t\nthe first person\talice\nanother person\t\nSSH key\t\nTime zone\t\n' >answers
"$terminal" answers "$MAILSTEAD" init some --dhcp --generate-passwords
# stopped while asking, while a password is typed, and at the end of the input: nothing is left, and the terminal is as before
printf 'Domain of\t^C\n' >stop-1
printf 'Password for\t^C\n' >stop-2
printf 'Password for\tsecret\nAgain\t^D\n' >stop-3
for moment in 1 2 3; do
  set -- "${flags[@]}"
  [ "$moment" != 1 ] || set --
  got=0
  "$terminal" "stop-$moment" bash -c 'before=$(stty -g); status=0; "$0" init none "$@" || status=$?
    [ "$before" = "$(stty -g)" ] || status=98; exit $status' "$MAILSTEAD" "$@" >said.txt || got=$?
  cat said.txt
  case $got in 1 | 2 | 130) ;; *) echo "exit code $got"; exit 1 ;; esac
  test ! -e none
  test -z "$(find . -maxdepth 1 -name 'mailstead.*')"
done

# What they make is valid, and builds.
for site in flags "it's new" asked some; do
  "$MAILSTEAD" check "$site/mail.yaml" 2>warned.txt
  if grep -q warning warned.txt; then cat warned.txt; exit 1; fi
done
cp "$WORK/mailstead.lock" asked/
"$MAILSTEAD" build --offline asked/mail.yaml -o asked/mail.img
"$MAILSTEAD" verify asked/mail.img --quick
