# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites to measure: a given one with one account more, further ones on its base, ones of any size."""
import os
import shutil
import subprocess

# Alice's of qemu-tests/site. Making hashes is no part of a build.
HASH = "$y$j9T$eZPgAI8dRmY59VNv0rfa40$pcgmRvLOtyMLs4xblAgdIzPOW2TiLmDNtzNidCGVHW."


def copy(spec, folder):
    """The site of `spec` in a folder of its own, without images."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in (spec.name, "mailstead.lock"):
        shutil.copy(spec.parent / name, folder)
    shutil.copytree(spec.parent / "secrets", folder / "secrets")
    return folder / spec.name


def with_account(spec, folder, name):
    """A copy of the site that has one account more."""
    changed = copy(spec, folder)
    text = changed.read_text()
    domain = text.split("\ndomains:\n", 1)[1].split(":", 1)[0].strip()
    changed.write_text(text.replace("\naccounts:\n", f'\naccounts:\n  {name}@{domain}:\n    password_hash: "{HASH}"\n', 1))
    return changed


def make(mailstead, lock, folder, accounts, domains, hostname="mail.example.org"):
    """A site with as many accounts and domains, and its keys."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(lock, folder / "mailstead.lock")
    names = [f"domain{i:05}.example.org" for i in range(domains)]
    lines = ["mailstead: 1", f"hostname: {hostname}", "profile: cloud-amd64", "network: {dhcp: true}",
             "tls: {mode: self-signed}", "domains:"]
    lines += [f"  {name}: {{dkim: {{selector: s1, algorithms: [ed25519]}}}}" for name in names]
    lines += ["accounts:"]
    for i in range(accounts):
        lines.append(f"  user{i:06}@{names[i % domains]}:")
        lines.append(f'    password_hash: "{HASH}"')
        if i < domains:  # each domain has a postmaster, the first accounts are them
            lines.append(f"    aliases: [{', '.join(f'postmaster@{name}' for name in names[i::accounts])}]")
    spec = folder / "mail.yaml"
    spec.write_text("\n".join(lines) + "\n")
    subprocess.run([mailstead, "--progress", "none", "keys", spec], check=True, stdout=subprocess.DEVNULL)
    return spec


def empty_cache(cache, folder):
    """An environment in which everything but the downloaded packages has to be made. Each has a folder of its own, removed
    at the end: ext4 is slow to reuse what has just been deleted."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "store").symlink_to(cache / "store")
    return dict(os.environ, MAILSTEAD_CACHE=str(folder))
