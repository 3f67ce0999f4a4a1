#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the README's own commands, line by line, in a folder that looks like the repository; and holds its table of commands
# against what the program says of itself.
set -eux
place=$WORK/readme
rm -rf "$place"
mkdir -p "$place/build"
ln -s "$MAILSTEAD" "$place/build/mailstead"
# What ./setup does has been done, or this test would not run.
printf '#!/bin/sh\ntest "$1" = build && grep -q "^  $1) *$" "%s/setup"\n' "$SOURCE" >"$place/setup"
chmod +x "$place/setup"
cd "$place"

# The commands of the section: the fenced lines below its heading.
awk '/^## / {inside = $0 == "## Your own server"} /^```/ {fenced = !fenced; next} inside && fenced' "$SOURCE/README.md" >commands
test "$(wc -l <commands)" -ge 7
# What `init` and `passwd` ask.
cat >answers <<'END'
Domain of the mail addresses	example.org
Host name of the machine	
Address of the first person	alice@example.org
Address of another person	
Addresses of the machine	
SSH key	
Time zone	
Password for alice@example.org	
Next:
Password	asked for twice
Again	asked for twice
END
"$SOURCE/tests/system/terminal.py" answers bash -eux commands >said.txt || { cat said.txt; exit 1; }
cat said.txt
grep -q '^\$y\$' said.txt                        # passwd
grep -q '^example\.org\. 3600 IN MX 10 mail\.example\.org\.$' said.txt   # dns
test -s mail.img
test -s site/mailstead.lock
test "$(stat -c %a site/secrets/tls/*/key.pem)" = 600
git init -q site
git -C site add .
test "$(git -C site ls-files | tr '\n' ' ')" = '.gitignore mail.yaml mailstead.lock '

# Who takes an example as it is hears that its password is known.
cp "$SOURCE/profiles/examples/small.yaml" mail.yaml
"$MAILSTEAD" check mail.yaml 2>warned.txt
grep -q 'everyone knows the password of alice@example.org' warned.txt

# Every command in the README's table is one, and the other way round.
awk '/^## / {inside = $0 == "## Commands"} inside && /^mailstead / {print $2}' "$SOURCE/README.md" | sort -u >in-readme
"$MAILSTEAD" --help | awk '/^Subcommands:/ {inside = 1; next} /^[^ ]/ {inside = 0} inside && /^  [a-z]/ {print $1}' | sort >in-help
diff in-readme in-help
