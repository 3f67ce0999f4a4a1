# SPDX-License-Identifier: GPL-3.0-or-later
"""What the same packages cost elsewhere: the least that any builder has to do, and other builders. All of them take their
packages from the store's files, so that nobody's network counts."""
import gzip
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import measure

PROFILE = pathlib.Path(__file__).parents[2] / "profiles/common/appliance.yaml"
# As the profile says; the tree is squashed alike everywhere.
COMPRESSOR, LEVEL = re.search(r"^squashfs:\n  compressor: (\w+)\n  level: (\d+)", PROFILE.read_text(), re.MULTILINE).groups()
SQUASHFS = ["-comp", COMPRESSOR, "-Xcompression-level", LEVEL, "-no-progress", "-quiet", "-noappend"]


class Packages:
    """The packages of a lock, in a store."""

    def __init__(self, lock, store):
        self.files, self.names, self.system = [], {}, []
        for line in lock.read_text().splitlines():
            word = line.split()
            if word[:1] == ["suite"]:
                self.suite = word[1]
            if word[:1] != ["package"]:
                continue
            name, path, sha256, roles = word[1], word[5], word[7], word[8].split(",")
            file = store / "sha256" / sha256[:2] / sha256
            self.files.append(file)
            if "system" in roles:
                self.system.append(name)
                self.names[file] = pathlib.Path(path).name


def decompress(packages, watch=0.0):
    """The first half of the floor: all packages, as many at a time as there are processors."""
    return measure.run(["xargs", "-P", os.cpu_count(), "-n", "8", "sh", "-ec",
                        'for d; do dpkg-deb --fsys-tarfile "$d" >/dev/null; done', "sh"],
                       given="\n".join(map(str, packages.files)), watch=watch)


def squash(tree, image, watch=0.0):
    """The second half: one run of mksquashfs over the tree that the image has as its /usr."""
    image.unlink(missing_ok=True)
    return measure.run(["mksquashfs", tree, image, *SQUASHFS], watch=watch)


def make_archive(packages, folder):
    """An archive of the system's packages, such as apt and debootstrap read: where it is."""
    shutil.rmtree(folder, ignore_errors=True)
    pool = folder / "pool"
    pool.mkdir(parents=True)
    for file, name in packages.names.items():
        shutil.copyfile(file, pool / name)  # no link: some look at the archive from inside a chroot
    write_index(packages, folder)
    return folder


def write_index(packages, folder):
    index = subprocess.run(["dpkg-scanpackages", "--multiversion", "pool"], cwd=folder, check=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    release = folder / "dists" / packages.suite
    binary = release / "main/binary-amd64"
    binary.mkdir(parents=True, exist_ok=True)
    digests = []
    for name, content in (("Packages", index), ("Packages.gz", gzip.compress(index))):
        (binary / name).write_bytes(content)
        digests.append(f" {hashlib.sha256(content).hexdigest()} {len(content)} main/binary-amd64/{name}")
    (release / "Release").write_text(f"Suite: {packages.suite}\nCodename: {packages.suite}\nArchitectures: amd64\n"
                                     "Components: main\nSHA256:\n" + "\n".join(digests) + "\n")


def why_not(program):
    """What keeps a builder from being run here; empty: nothing."""
    missing = [name for name in (program, "dpkg-scanpackages") if not shutil.which(name)]
    if missing:
        return f"{missing[0]} is not installed"
    return "it needs root" if os.geteuid() != 0 else ""


def version(program):
    return subprocess.run([program, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def mmdebstrap(packages, archive, work):
    """A root file system by apt and dpkg, then the same mksquashfs. No boot, no dm-verity, no configuration."""
    root = work / "mmdebstrap"
    shutil.rmtree(root, ignore_errors=True)
    made = measure.run(["mmdebstrap", "--mode=root", "--variant=essential", "--architectures=amd64",
                        "--include=" + ",".join(packages.system), packages.suite, root,
                        f"deb [trusted=yes] copy:{archive} {packages.suite} main"], watch=0.25, log=work / "mmdebstrap.log")
    made += squash(root, work / "mmdebstrap.squashfs", watch=0.25)
    shutil.rmtree(root)
    return made


# What mkosi before 15 asks for or looks for whatever it is told, and what trixie has elsewhere or we do without.
STAND_INS = {"dbus": {}, "libpam-systemd": {}, "login": {"etc/pam.d/login": ""},
             "systemd-resolved": {"usr/lib/systemd/system/systemd-resolved.service":
                                  "[Service]\nExecStart=true\n[Install]\nWantedBy=multi-user.target\n"}}


def add_stand_in(archive, name, files):
    """A package that somebody insists on and that is not in the lock, with files (path: content)."""
    folder = archive / "stand-ins" / name
    (folder / "DEBIAN").mkdir(parents=True)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(content)
    (folder / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 0\nArchitecture: all\nDescription: stand-in\n"
                                           "Maintainer: nobody <nobody@localhost>\n")
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", folder, archive / "pool"], check=True,
                   stdout=subprocess.DEVNULL)


def mkosi(packages, archive, work):
    """A disk image with one file system of the same packages, from nothing; no boot loader is asked for."""
    folder = work / "mkosi"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    names = list(packages.system)
    old = float(version("mkosi").split()[-1].partition("~")[0]) < 15
    if old:
        for name, files in STAND_INS.items():
            add_stand_in(archive, name, files)
        write_index(packages, archive)
        names += STAND_INS
        # It would clean up documentation in a container of its own.
        options = ["--format=gpt_ext4", f"--local-mirror=file:{archive}", f"--workspace-dir={folder}", "--with-docs=yes"]
    else:
        options = ["--format=disk", f"--mirror=file://{archive}", f"--workspace-directory={folder}"]
    made = measure.run(["mkosi", f"--directory={folder}", "--distribution=debian", f"--release={packages.suite}", "--force",
                        f"--package={','.join(names)}", "--bootable=no", "--repository-key-check=no",
                        f"--output-dir={folder}", *options, "build"], watch=0.25, log=work / "mkosi.log")
    shutil.rmtree(folder)
    return made
