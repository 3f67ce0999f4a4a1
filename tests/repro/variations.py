# SPDX-License-Identifier: GPL-3.0-or-later
"""What varies from build to build: data only. builds.py says what each setting means."""
import dataclasses
import signal

HOSTILE_ENVIRONMENT = {
    # What the tools and libraries would heed, were it passed on to them.
    "SOURCE_DATE_EPOCH": "1", "ZSTD_CLEVEL": "1", "ZSTD_NBTHREADS": "1", "XZ_OPT": "-0", "GZIP": "-1",
    "MTOOLSRC": "/etc/hostname", "MTOOLS_LOWER_CASE": "1", "MTOOLS_SKIP_CHECK": "1", "POSIXLY_CORRECT": "1",
    "LIBFDISK_DEBUG": "all", "LIBBLKID_DEBUG": "all", "SYSTEMD_LOG_LEVEL": "debug", "OPENSSL_CONF": "/etc/hostname",
    # What programs print differently under.
    "COLUMNS": "20", "TERM": "vt100", "NO_COLOR": "1", "LANGUAGE": "tr:de", "USER": "somebody", "LOGNAME": "somebody",
}

# Days; builds.py sets the clock to shortly before midnight, and a build in which it does not strike has failed.
YEAR_AND_MIDNIGHT = 400

# By the messages that say what begins.
STAGES = ("unpack packages", "Writing tools", "Generating system files", "squashfs of /usr", "Writing the site's image")
INTERRUPTIONS = tuple((kind, stage) for stage in STAGES for kind in (signal.SIGINT, signal.SIGKILL))


@dataclasses.dataclass(frozen=True)
class Variation:
    name: str
    what: str
    settings: dict
    parts: tuple = ()  # the variations that it joins


def together(name, *variations):
    """One build with all of them: quick, but a difference says less, so that repro.py then tries each."""
    settings = {}
    for variation in variations:
        environment = {**settings.get("env", {}), **variation.settings.get("env", {})}
        settings.update(variation.settings)
        if environment:
            settings["env"] = environment
    return Variation(name, ", ".join(v.name for v in variations), settings, variations)


USER = Variation("ordinary user", "user 65534, not root", {"user": "ordinary"})
ROOT = Variation("root", "user 0", {"user": "root"})
HOME = Variation("home and path", "another home, cache, spec and image folder, with spaces and 'ı' in their names",
                 {"path": "deep er/Kapı/x" + "y" * 60, "home": "home of her own"})
UMASK = Variation("umask 077", "umask 077", {"umask": 0o077})
OPEN_UMASK = Variation("umask 000", "umask 000", {"umask": 0o000})
ZONE = Variation("time zone", "TZ 13 hours ahead", {"env": {"TZ": "<+13>-13"}})
LOCALE = Variation("Turkish locale", "LC_ALL=tr_TR.UTF-8: comma in numbers, 'i' is not the small 'I'",
                   {"locale": "tr_TR.UTF-8"})
HOST_NAME = Variation("host name", "another host name", {"hostname": "elsewhere"})
ENVIRONMENT = Variation("environment", "variables that tools would heed", {"env": HOSTILE_ENVIRONMENT})
CLOCK = Variation("clock of the program", "a clock 400 days ahead that passes midnight, in the program, from nothing",
                  {"clock": YEAR_AND_MIDNIGHT})
EVERY_CLOCK = Variation("clock of all", "the same clock in the program and all its tools (which are there already)",
                        {"clock": YEAR_AND_MIDNIGHT, "everywhere": True})
PAST = Variation("clock of all, past", "a clock 400 days behind that passes midnight, in the program and all its tools",
                 {"clock": -400, "everywhere": True})
ONE_CORE = Variation("1 core", "one core", {"cores": "0"})
ONE_BUSY_CORE = Variation("1 core, load", "one core, two busy loops beside", {"cores": "0", "load": 2})
TWO_BUSY_CORES = Variation("2 cores, load", "two cores, four busy loops beside", {"cores": "0,1", "load": 4})
REVERSED = Variation("reversed order", "folders listed backwards to the program, from nothing", {"reverse": True})
EVERY_REVERSED = Variation("reversed order for all", "folders listed backwards to the program and all its tools",
                           {"reverse": True, "everywhere": True})
TMPFS = Variation("tmpfs", "spec, cache and image on a tmpfs", {"filesystem": "tmpfs"})
EXT4 = Variation("ext4", "spec, cache and image on a new ext4 (other hashes, so another order)", {"filesystem": "ext4"})
WARM = Variation("warm", "base and tools are in the cache", {"warm": True})
COLD_STORE = Variation("cold store", "every package downloaded again", {"store": False, "network": True})
OFFLINE = Variation("--offline", "--offline, and no network", {"offline": True, "network": False})
MOVED = Variation("moved source", "profiles and overlays copied elsewhere, for their owner's eyes only",
                  {"moved": True})
INTERRUPTED = Variation("interrupted", "SIGINT, then SIGKILL, in each of five stages; resumed each time",
                        {"interruptions": INTERRUPTIONS})
INTERRUPTED_TWICE = Variation("interrupted twice", "SIGINT and SIGKILL in two stages, then resumed",
                              {"interruptions": ((signal.SIGINT, STAGES[2]), (signal.SIGKILL, STAGES[3]))})
OTHER_DEBIAN = Variation("other Debian", "compiled and run inside a tree of the other Debian release", {"tree": True})

FIRST = Variation("first", "nothing: what all others are compared with", {})
AGAIN = Variation("again", "nothing: from nothing once more", {})

FULL = [FIRST, AGAIN, ROOT, USER, HOME, UMASK, OPEN_UMASK, ZONE, LOCALE, HOST_NAME, ENVIRONMENT,
        CLOCK, EVERY_CLOCK, PAST, ONE_BUSY_CORE, TWO_BUSY_CORES, REVERSED, EVERY_REVERSED, EXT4, TMPFS,
        WARM, COLD_STORE, OFFLINE, MOVED, INTERRUPTED, OTHER_DEBIAN,
        together("other Debian, elsewhere", OTHER_DEBIAN, HOME, UMASK, ZONE, ENVIRONMENT, ONE_CORE)]

# What has the least to do with each other goes together. What needs root is in the full form.
SHORT = [together("elsewhere", HOME, UMASK, ZONE, LOCALE, HOST_NAME, ENVIRONMENT, REVERSED, ONE_CORE),
         together("another time", PAST, EVERY_REVERSED, TMPFS, MOVED),
         together("resumed", INTERRUPTED_TWICE, OFFLINE, CLOCK)]
