#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What `cmake --install` makes is a whole program: with its data, manual pages and completions, where Debian has them. And what
# `./setup build` says at its end.
set -eux
place=$WORK.install
rm -rf "$place"
mkdir -p "$place"
umask 022  # that of who installs decides about new folders: CMake asks for a mode, and does not set it
DESTDIR=$place cmake --install "$(dirname "$MAILSTEAD")" --prefix /usr >/dev/null
share=$place/usr/share
for file in bin/mailstead share/mailstead/{profiles/cloud-amd64.yaml,rootfs-overlays/README.md,qemu-tests/demo.sh} \
  share/man/{man1/mailstead.1,man5/mailstead.yaml.5} share/bash-completion/completions/mailstead \
  share/fish/vendor_completions.d/mailstead.fish share/doc/mailstead/{README.md,docs/spec.md}; do
  test -f "$place/usr/$file"
done
test -x "$share/mailstead/qemu-tests/demo.sh"
test -x "$share/mailstead/rootfs-overlays/base/usr/lib/mailstead/selfcheck"
diff "$SOURCE/LICENSE" "$share/doc/mailstead/copyright"
# All users can read it, whatever the umask of who made the checkout.
test -z "$(find "$place/usr" -type f ! -perm 0644 ! -perm 0755)"
test -z "$(find "$place/usr" -type d ! -perm 0755)"
test -z "$(find "$place" -type f ! -path "$place/usr/*")"
for folder in profiles rootfs-overlays qemu-tests; do diff -r -x __pycache__ "$SOURCE/$folder" "$share/mailstead/$folder"; done

# It finds its own data, not those that it was built from.
export PATH=$place/usr/bin:$PATH MAILSTEAD_CACHE=$place/cache
cp "$share/mailstead/profiles/cloud-amd64.yaml" "$share/mailstead/profiles/probe.yaml"
cp "$SOURCE/qemu-tests/site/mail.yaml" "$place/mail.yaml"
cd "$place"
mailstead keys mail.yaml >/dev/null
mailstead check mail.yaml --profile probe --offline 2>said.txt | grep -qF '(probe, '
grep -qF "\`man mailstead.yaml\` describes every key, $share/doc/mailstead/docs/mail-administrator.md what" said.txt
if "$MAILSTEAD" check mail.yaml --profile probe --offline >/dev/null 2>&1; then exit 1; fi

# Manual pages without a mistake, with every command and every key.
man=$share/man
for page in "$man/man1/mailstead.1" "$man/man5/mailstead.yaml.5"; do
  said=$(groff -man -ww -Tutf8 -z "$page" 2>&1)
  test -z "$said"
done
groff -man -Tascii -P-cbou "$man/man1/mailstead.1" >page.txt
for verb in $(mailstead help | awk '/^Subcommands:/ {inside = 1; next} /^[^ ]/ {inside = 0} inside && /^  [a-z]/ {print $1}'); do
  grep -q "^   mailstead $verb" page.txt
done
grep -qF 'mailstead build site/mail.yaml -o mail.img' page.txt
groff -man -Tascii -P-cbou "$man/man5/mailstead.yaml.5" | grep -qF 'network.private.card'

# Completions that their shells read, and that offer something.
bash -n "$share/bash-completion/completions/mailstead"
zsh -n "$(find "$share/zsh" -name _mailstead)"
fish -n "$share/fish/vendor_completions.d/mailstead.fish"
offered() { HOME=$place fish -N -c "source $share/fish/vendor_completions.d/mailstead.fish; complete -C '$1'" | cut -f 1 | xargs; }
test "$(offered 'mailstead bu')" = build
test "$(offered 'mailstead build --off')" = --offline
test "$(offered 'mailstead --color n')" = never
test "$(offered 'mailstead --color always bui')" = build
test "$(offered 'mailstead --color=always bui')" = build
test "$(offered 'mailstead sbom --format s')" = spdx
test "$(offered 'mailstead explain network.mt')" = network.mtu

# ./setup build, where everything is there and built.
mkdir bin
for tool in cmake ninja apt-get; do printf '#!/bin/sh\n' >"bin/$tool"; done
printf '#!/bin/sh\necho installed\n' >bin/dpkg-query
chmod +x bin/*
PATH=$place/bin:$PATH MAILSTEAD_BUILD=$place/made "$SOURCE/setup" build >said.txt
tail -n 1 said.txt | grep -qF "$place/made/mailstead init site"
cd "$SOURCE"
env -u MAILSTEAD_BUILD PATH="$place/bin:$PATH" ./setup build | tail -n 1 | grep -qF './build/mailstead init site'
rm -r "$place"
