# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree of the other Debian release, with other libraries and tools: made by mmdebstrap from this machine's APT
sources, entered with a mount namespace and pivot_root(2). Not a chroot: nobody may make user namespaces in one."""
import pathlib
import re
import shutil
import subprocess
import sys

OTHER_RELEASE = {"12": ("13", "trixie"), "13": ("12", "bookworm")}

ENTER = """
tree=$1 work=$2
shift 2
mount --bind "$tree" "$tree"
cd "$tree"
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs mnt
mkdir -p mnt/old ".$work"
mount --bind "$work" ".$work"
pivot_root . mnt/old
umount -l /mnt/old
cd /
exec "$@"
"""


def host_release():
    text = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    return re.search(r'^VERSION_ID="?(\d+)', text, re.M).group(1)


def mirror():
    """Where this machine gets Debian's main archive from."""
    said = subprocess.run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)",
                           "Created-By: Packages"], capture_output=True, text=True, check=True).stdout
    for line in said.splitlines():
        origin, label, uri = line.split("|")
        if (origin, label) == ("Debian", "Debian"):
            return uri
    sys.exit("the APT sources have no Debian archive to make a tree from")


def packages(source):
    """What mailstead is built with and what it runs, as setup knows it."""
    text = (source / "setup").read_text(encoding="utf-8")
    return [name for kind in ("build", "run") for name in
            re.search(rf'^{kind}_packages="([^"]*)"', text, re.M).group(1).split()]


class Tree:
    """One tree, made if it is missing; it stays for the next time."""

    def __init__(self, folder, source):
        self.folder = pathlib.Path(folder).resolve()
        self.version, self.suite = OTHER_RELEASE[host_release()]
        self.program = None
        if not (self.folder / "usr/bin/cmake").exists():
            if not shutil.which("mmdebstrap"):
                sys.exit("a tree of the other Debian release needs the package mmdebstrap")
            print(f"Making a tree of Debian {self.version} in {self.folder}", file=sys.stderr)
            subprocess.run(["mmdebstrap", "--variant=minbase", f"--include={','.join(packages(source))}", self.suite,
                            self.folder, f"deb {mirror()} {self.suite} main"], check=True)

    def enter(self, work, argv):
        """A command that runs `argv` as root of the tree, with the folder `work` at the same place as here."""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", ENTER, "sh",
                *map(str, [self.folder, work, *argv])]

    def build(self, source, work):
        """Mailstead, compiled in the tree from a copy of the source: other compiler, options, libraries and path."""
        if self.program is None:
            copy, folder = work / "other" / "source", work / "other" / "build"
            copy.mkdir(parents=True, exist_ok=True)
            # The program's own: a .git or build folder is not for it.
            names = ["CMakeLists.txt", "builder", "profiles", "rootfs-overlays", "tests"]
            for name in names:
                if (source / name).is_dir():
                    shutil.copytree(source / name, copy / name, symlinks=True, dirs_exist_ok=True)
                else:
                    shutil.copy2(source / name, copy / name)
            print(f"Compiling in Debian {self.version}", file=sys.stderr)
            configure = ["cmake", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=", "-DCMAKE_CXX_FLAGS=-O1", "-S", copy, "-B", folder]
            for argv in (configure, ["ninja", "-C", folder, "mailstead"]):
                subprocess.run(self.enter(work, argv), check=True, stdout=subprocess.DEVNULL)
            self.program = folder / "mailstead"
        return self.program
