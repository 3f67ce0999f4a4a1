# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds an image under the settings of a variation, each from a cache, spec and folder of its own."""
import ast
import contextlib
import dataclasses
import datetime
import glob
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

import other_debian

HERE = pathlib.Path(__file__).resolve().parent
NOBODY = 65534
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
CHUNK = 1 << 20
TO_MIDNIGHT = datetime.timedelta(seconds=2)  # from the start of a build: it takes longer than that, even a resumed one


def link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


class Missing(Exception):
    """What a build needs and this machine or user does not have."""


class Failed(Exception):
    """A build that ended without an image, or did not see what it was to see."""


@dataclasses.dataclass
class Result:
    seconds: float
    digest: str
    image: pathlib.Path


def digest_of(image):
    sha256 = hashlib.sha256()
    with open(image, "rb") as file:
        while data := file.read(CHUNK):
            sha256.update(data)
    return sha256.hexdigest()


def is_root():
    return os.geteuid() == 0


def quiet(argv, **more):
    """Runs a helper; Failed with its messages if it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise Failed(f"{argv[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def midnight_after(days):
    """The end of the day (UTC) that comes in so many days."""
    there = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days + 1)
    return there.replace(hour=0, minute=0, second=0, microsecond=0)


def check_midnight(midnight, lines):
    """Failed unless the one build that told its clock (clock.c) began before `midnight` and ended after it."""
    if len(lines) != 1:
        raise Failed(f"one build was to tell its clock, and {len(lines)} did")
    begin, end = (datetime.datetime.fromtimestamp(int(word), datetime.timezone.utc) for word in lines[0].split())
    wrong = "began after" if begin >= midnight else "ended before" if end < midnight else None
    if wrong:
        raise Failed(f"the build {wrong} midnight, {midnight:%F %T}: "
                     f"by its clock it ran from {begin:%F %T} to {end:%F %T}")


@contextlib.contextmanager
def load(loops):
    """Busy loops beside."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


class Bench:
    """What all builds share: the program, its data, the spec, the packages, and helpers made on demand. All lies below
    one folder that other users may enter, so that the same build can be theirs."""

    def __init__(self, program, source, spec, work, tree=None):
        self.source = pathlib.Path(source).resolve()
        self.work = pathlib.Path(work).resolve()
        self.spec = pathlib.Path(spec).resolve()
        self.tree = tree
        self.reference = None  # cache of the first build: base and tools for those that find them there
        self.work.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.program = self.work / "bin" / "mailstead"
        self.program.parent.mkdir(exist_ok=True)
        shutil.copy(program, self.program)
        # Beside the program, where an installed one has it: nothing reads the source's own folder.
        self.data = self.work / "share" / "mailstead"
        shutil.rmtree(self.data, ignore_errors=True)
        for name in ("profiles", "rootfs-overlays"):
            shutil.copytree(self.source / name, self.data / name, symlinks=True)
        self.store = self.work / "store"
        self.copy_packages()

    def copy_packages(self):
        cache = os.environ.get("MAILSTEAD_CACHE") or \
            pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "mailstead"
        shutil.rmtree(self.store, ignore_errors=True)
        self.store.mkdir()
        with open(self.spec.parent / "mailstead.lock", encoding="utf-8") as lock:
            digests = [line.split()[7] for line in lock if line.startswith("package ")]
        for digest in digests:
            stored = pathlib.Path(cache) / "store" / "sha256" / digest[:2] / digest
            if not stored.is_file():
                raise Failed(f"a package of the lock is not in {cache}/store: build the spec once")
            target = self.store / "sha256" / digest[:2]
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(stored, target)
        for path in [self.store, *self.store.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)

    # Helpers, each with a proof that it does what it is for.

    def reverser(self):
        library = self.work / "reverse.so"
        quiet(["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "reverse.c"])
        listed = [sys.executable, "-c", f"import os; print(os.listdir({str(self.data / 'rootfs-overlays')!r}))"]
        orders = [ast.literal_eval(quiet(listed, env={"PATH": PATH, **more})) for more in ({}, {"LD_PRELOAD": library})]
        if len(orders[0]) < 2 or orders[0] != orders[1][::-1]:
            raise Failed(f"the order of folders is not reversed: {orders}")
        return library

    def clock_teller(self):
        library = self.work / "clock.so"
        quiet(["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "clock.c"])
        return library

    def faker(self):
        found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not found:
            raise Missing("needs the package faketime")
        year = quiet(["date", "+%Y"], env={"PATH": PATH, "LD_PRELOAD": found[0], "FAKETIME": "2001-01-01 00:00:00"})
        if year.strip() != "2001":
            raise Failed(f"{found[0]} changes no clock")
        return pathlib.Path(found[0])

    def locales(self, name):
        folder = self.work / "locales"
        if not (folder / name).exists():
            folder.mkdir(exist_ok=True)
            if not shutil.which("localedef") or not pathlib.Path("/usr/share/i18n/locales/tr_TR").exists():
                raise Missing("needs the package locales")
            quiet(["localedef", "-i", "tr_TR", "-f", "UTF-8", folder / name])
        # U+0130 is the capital of 'i' in Turkish only: a locale that is not there would silently be C.
        said = quiet([sys.executable, "-c", "import ctypes, locale; locale.setlocale(locale.LC_ALL, '');"
                      "print(ctypes.CDLL(None).towupper(ord('i')), locale.localeconv()['decimal_point'])"],
                     env={"PATH": PATH, "LC_ALL": name, "LOCPATH": str(folder), "PYTHONCOERCECLOCALE": "0"})
        if said.split() != [str(0x130), ","]:
            raise Failed(f"{name} does not take effect: {said}")
        return folder


class Build:
    """One build: settings as in variations.py become an environment, namespaces and a command."""

    def __init__(self, bench, name, settings):
        self.bench = bench
        self.settings = settings
        self.folder = bench.work / "runs" / name.replace(" ", "-").replace(",", "")
        self.home = self.folder / settings.get("home", "home")
        self.site = self.folder / settings.get("path", "site")
        self.cache = self.site / "cache"
        self.image = self.folder / "image"
        self.clock_log = self.folder / "clock"
        self.midnight = None  # by the clock of the build that was started last
        self.ordinary = settings.get("user") == "ordinary"
        self.preloads = []
        self.environment = {}
        self.check_needs()

    def check_needs(self):
        if self.ordinary and is_root() and not all(f.stat().st_mode & 0o001 for f in self.bench.work.parents):
            raise Missing("needs a work folder that others may enter")
        for setting, value in (("user", "root"), ("filesystem", "ext4")):
            if self.settings.get(setting) == value and not is_root():
                raise Missing("needs root")
        if self.settings.get("tree") and not is_root():
            raise Missing("needs root")
        if self.settings.get("tree") and not self.bench.tree:
            raise Missing("needs --tree")

    # Preparations

    def prepare(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.home.mkdir(parents=True)
        self.site.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.bench.spec, self.site / "mail.yaml")
        shutil.copy(self.bench.spec.parent / "mailstead.lock", self.site)
        shutil.copytree(self.bench.spec.parent / "secrets", self.site / "secrets")
        self.cache.mkdir()
        if self.settings.get("store", True):
            # A store of each build's own: Mailstead uses none that another user could write to.
            shutil.copytree(self.bench.store, self.cache / "store",
                            copy_function=shutil.copy2 if self.ordinary else link_or_copy)
        self.environment = {"PATH": PATH, "HOME": str(self.home), "MAILSTEAD_CACHE": str(self.cache),
                            **self.settings.get("env", {})}
        if not self.settings.get("store", True) and "MAILSTEAD_MIRROR" in os.environ:
            self.environment["MAILSTEAD_MIRROR"] = os.environ["MAILSTEAD_MIRROR"]
        self.prepare_cache()
        if locale := self.settings.get("locale"):
            self.environment.update(LC_ALL=locale, LANG=locale, LOCPATH=str(self.bench.locales(locale)))
        if self.settings.get("moved"):
            self.environment["MAILSTEAD_DATA"] = str(self.move_data())
        if self.settings.get("reverse"):
            self.preloads.append(self.bench.reverser())
        if "clock" in self.settings:
            self.preloads += [self.bench.clock_teller(), self.bench.faker()]
            self.environment["CLOCK_LOG"] = str(self.clock_log)
        if self.preloads and not self.settings.get("everywhere"):
            self.environment["LD_PRELOAD"] = ":".join(map(str, self.preloads))
        if self.ordinary and is_root():
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    def prepare_cache(self):
        """What of base and tools is there already, from the first build."""
        wanted = ["bases", "sieve", "tools"] if self.settings.get("warm") else []
        # Mailstead refuses to unpack tools where something is put into all of them.
        if self.settings.get("everywhere"):
            wanted = ["tools"]
        if wanted and not self.bench.reference:
            raise Failed("there is no first build whose tools could be taken")
        for name in wanted:
            shutil.copytree(self.bench.reference / name, self.cache / name, symlinks=True)

    def move_data(self):
        """Profiles and overlays for their owner only, made in another order: modes and times of a checkout vary."""
        moved = self.folder / "elsewhere"
        for path in sorted(self.bench.data.rglob("*"), reverse=True):
            target = moved / path.relative_to(self.bench.data)
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target, follow_symlinks=False)
            target.chmod(target.stat().st_mode & 0o700)
            os.utime(target, (86400, 86400))
        return moved

    # The command

    def script(self):
        """Shell lines for inside of new namespaces; none if the build needs none. "$@" is the build."""
        lines = []
        if hostname := self.settings.get("hostname"):
            lines += [f"hostname {hostname}", f'test "$(uname -n)" = {hostname}']
        if self.settings.get("everywhere"):
            lines += self.script_for_preloads()
        kind = self.settings.get("filesystem")
        if not kind:
            return lines + ['exec "$@"'] if lines or not self.settings.get("network", True) else []
        # The site is carried in and the image out: the file system is nobody else's, and ends with its last user.
        lines += ['site=$1 cache=$2 image=$3 disk=$4', 'shift 4', 'mkdir "$disk.there"']
        if kind == "tmpfs":
            lines += ['mount -t tmpfs -o size=3g,mode=755 tmpfs "$disk.there"']
        else:
            lines += ['truncate -s 4G "$disk"', 'mkfs.ext4 -q "$disk"', 'mount -o loop "$disk" "$disk.there"']
        lines += ['cp -a "$site/." "$disk.there/"', 'mount --bind "$disk.there" "$site"', 'cd "$site"', '"$@"',
                  f'test "$(stat -f -c %T "$site")" = {"tmpfs" if kind == "tmpfs" else "ext2/ext3"}',
                  'cp --sparse=always "$site/image" "$image"']
        return lines

    def script_for_preloads(self):
        """A preload in /etc of a private mount namespace reaches every dynamic program, whatever its environment is,
        also the tools, which start in one made from nothing and through a dynamic loader of their own."""
        etc = self.folder / "etc"
        etc.mkdir()
        (etc / "ld.so.preload").write_text("".join(f"{path}\n" for path in self.preloads))
        lines = [f"mount -t overlay overlay -o 'lowerdir={etc}:/etc' /etc"]
        if "clock" in self.settings:
            eve = midnight_after(self.settings["clock"]) - TO_MIDNIGHT
            lines.append(f'test "$(env -i date -u +%Y)" = {eve.year}')
        # The loader of the tools sees it, too.
        root, = (path for path in (self.cache / "tools").iterdir() if path.is_dir())
        loader, = root.glob("usr/lib64/ld-linux-*") or root.glob("usr/lib/ld-linux-*")
        for path in self.preloads:
            lines.append(f"'{loader}' --list '{root}/usr/bin/mksquashfs' | grep -qF '{path}'")
        return lines

    def command(self):
        output = self.site / "image" if self.settings.get("filesystem") else self.image
        build = [str(self.program()), "build", str(self.site / "mail.yaml"), "-o", str(output)]
        if self.settings.get("offline"):
            build.append("--offline")
        if cores := self.settings.get("cores"):
            build = ["taskset", "-c", cores] + build
        if self.ordinary and is_root():
            build = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] + build
        if self.settings.get("tree"):
            return self.bench.tree.enter(self.bench.work, build)
        script = self.script()
        if script:
            if self.settings.get("filesystem"):
                build = [str(self.site), str(self.cache), str(self.image), str(self.folder / "disk")] + build
            build = ["sh", "-euc", "\n".join(script), "sh"] + build
            namespaces = ["--mount", "--propagation", "private", "--uts"]
            if not self.settings.get("network", True):
                namespaces.append("--net")
            build = ["unshare"] + ([] if is_root() else ["--user", "--map-root-user"]) + namespaces + build
        return build

    def program(self):
        if self.settings.get("tree"):
            return self.bench.tree.build(self.bench.source, self.bench.work)
        return self.bench.program

    # The run

    def set_clock(self):
        """Midnight strikes while the build that starts now runs: check_midnight looks whether it did."""
        self.midnight = midnight_after(self.settings["clock"])
        offset = self.midnight - TO_MIDNIGHT - datetime.datetime.now(datetime.timezone.utc)
        text = f"{offset.total_seconds():+.3f}s"
        if self.settings.get("everywhere"):
            (self.folder / "etc" / "faketimerc").write_text(text + "\n")
        else:
            self.environment["FAKETIME"] = text
        self.clock_log.unlink(missing_ok=True)

    def start(self, argv):
        if "clock" in self.settings:
            self.set_clock()
        errors = open(self.folder / "messages", "ab")
        return subprocess.Popen(argv, env=self.environment, cwd=self.home, umask=self.settings.get("umask", 0o022),
                                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)

    def interrupt(self, argv):
        """Signals it in its stages, each time going on in the same cache."""
        for kind, stage in self.settings.get("interruptions", ()):
            seen = (self.folder / "messages").stat().st_size if (self.folder / "messages").exists() else 0
            process = self.start(argv)
            while stage not in (self.folder / "messages").read_bytes()[seen:].decode(errors="replace"):
                if process.poll() is not None:
                    raise Failed(f"the build ended before '{stage}'")
                time.sleep(0.01)
            time.sleep(0.1)
            process.send_signal(kind)
            if process.wait(60) == 0:
                raise Failed(f"{kind.name} in '{stage}' did not end the build")
            if self.image.exists():
                raise Failed(f"{kind.name} in '{stage}' left an image")

    def run(self):
        self.prepare()
        argv = self.command()
        with load(self.settings.get("load", 0)):
            self.interrupt(argv)
            start = time.monotonic()
            status = self.start(argv).wait()
            seconds = time.monotonic() - start
        if status != 0:
            said = (self.folder / "messages").read_text(errors="replace").strip().splitlines()
            raise Failed(f"exit status {status}: " + "\n".join(said[-8:]))
        if self.midnight:
            told = self.clock_log.read_text(encoding="ascii") if self.clock_log.exists() else ""
            check_midnight(self.midnight, told.splitlines())
        if self.bench.reference is None:
            self.bench.reference = self.cache
        return Result(seconds, digest_of(self.image), self.image)

    def clean(self):
        """Keeps what later builds or people look at: the first one's cache."""
        if self.bench.reference != self.cache:
            shutil.rmtree(self.folder)
