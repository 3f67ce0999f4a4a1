#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""That repro.py notices a difference, or that it did not try what it was to try, and that where.py finds the difference:
on small disks made here."""
import datetime
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

import builds
import where

HERE = pathlib.Path(__file__).resolve().parent
MEBIBYTE = 1 << 20
os.environ["PATH"] += ":/usr/sbin:/sbin"
os.environ["MTOOLS_SKIP_CHECK"] = "1"

LAYOUT = """label: gpt
first-lba: 34
start=2048, size=8192, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="mailstead-esp"
start=10240, size=4096, type=8484680C-9521-48C6-9C11-B0720656F69E, name="mailstead-usr-a"
"""
ESP, USR, SIZE = 1 * MEBIBYTE, 5 * MEBIBYTE, 8 * MEBIBYTE


def run(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def put(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def write_config(folder, fat, text):
    """grub/grub.cfg of the FAT file system, with the time 1e9."""
    config = folder / "grub.cfg"
    config.write_text(text)
    os.utime(config, (1e9, 1e9))
    run("mcopy", "-o", "-m", "-i", fat, config, "::grub/")


def make_squashfs(folder, text, mode=0o644, owner=0):
    """A file system with two files and what looks like a hash tree behind it; and where that starts."""
    tree, image = folder / "tree", folder / "squashfs"
    shutil.rmtree(tree, ignore_errors=True)
    image.unlink(missing_ok=True)
    tree.mkdir()
    (tree / "greeting").write_text(text)
    (tree / "constant").write_text("always\n")
    (tree / "greeting").chmod(mode)
    for path in (tree / "greeting", tree / "constant", tree):
        os.utime(path, (1e9, 1e9))
    run("mksquashfs", tree, image, "-quiet", "-no-xattrs", "-force-uid", str(owner), "-force-gid", "0",
        "-mkfs-time", "1", "-processors", "1")
    data = image.read_bytes()
    used, = struct.unpack_from("<Q", data, 40)
    start = (used + 4095) // 4096 * 4096
    return data[:used].ljust(start, b"\0") + b"verity\0\0".ljust(4096, b"\0") + b"\1" * 4096, start


def make_disk(folder):
    disk, fat = folder / "disk", folder / "fat"
    for path, size in ((disk, SIZE), (fat, USR - ESP)):
        with open(path, "wb") as file:
            file.truncate(size)
    subprocess.run(["sfdisk", "--quiet", disk], input=LAYOUT, text=True, check=True)
    run("mkfs.fat", "--invariant", fat)
    run("mmd", "-i", fat, "::grub")
    write_config(folder, fat, "set timeout=0\n")
    put(disk, ESP, fat.read_bytes())
    squashfs, start = make_squashfs(folder, "Welcome\n")
    put(disk, USR, squashfs)
    return disk, start


class DiskCase(unittest.TestCase):
    """Two equal disks in a folder, `one` and `other`, and where the hash tree starts in the partition for /usr."""

    @classmethod
    def setUpClass(cls):
        kept = tempfile.TemporaryDirectory(prefix="mailstead-repro.")
        cls.addClassCleanup(kept.cleanup)
        cls.disk, cls.tree = make_disk(pathlib.Path(kept.name))

    def setUp(self):
        kept = tempfile.TemporaryDirectory(prefix="mailstead-repro.")
        self.addCleanup(kept.cleanup)
        self.folder = pathlib.Path(kept.name)
        self.one, self.other = self.folder / "one", self.folder / "other"
        for path in (self.one, self.other):
            shutil.copy(self.disk, path)


class WhereTest(DiskCase):
    def said(self):
        return where.explain(self.one, self.other)

    def test_equal_disks(self):
        self.assertEqual(self.said(), [])

    def test_bytes_outside_of_file_systems(self):
        put(self.other, 100, b"x")
        put(self.other, 40 * 512, b"yy")
        self.assertEqual(self.said(), [
            "boot code of the MBR: 1 byte differs, the first at 100 of the image, 100 of this part",
            "outside of partitions: 2 bytes differ, the first at 20480 of the image, 3072 of this part"])

    def test_a_byte_of_the_second_table(self):
        put(self.other, SIZE - 33 * 512 + 5000, b"x")
        self.assertEqual(self.said(), ["second partition table: 1 byte differs, the first at "
                                       f"{SIZE - 33 * 512 + 5000} of the image, 5000 of this part"])

    def test_a_file_on_fat(self):
        write_config(self.folder, f"{self.other}@@{ESP}", "set timeout=5\n")
        said = self.said()
        self.assertRegex(said[0], "^mailstead-esp: [0-9]+ bytes? differs?, the first at [0-9]+ of the image")
        self.assertEqual(said[1:], ["  grub/grub.cfg: content, from offset 12"])

    def test_a_file_in_the_initrd(self):
        for disk, text, mode in ((self.one, "one", 0o644), (self.other, "two", 0o755)):
            tree = self.folder / f"initrd {text}"
            (tree / "etc").mkdir(parents=True)
            (tree / "etc/release").write_text(text)
            (tree / "etc/release").chmod(mode)
            run("sh", "-c", 'cd "$0" && find . | cpio -o -H newc --quiet | zstd -q -o ../initrd.img -f', tree)
            os.utime(self.folder / "initrd.img", (1e9, 1e9))
            run("mcopy", "-o", "-m", "-i", f"{disk}@@{ESP}", self.folder / "initrd.img", "::")
        said = "\n".join(self.said())
        self.assertRegex(said, "initrd.img unpacked/etc/release: -rw-r--r-- .* and -rwxr-xr-x .*; content, from ")

    def test_a_time_on_fat(self):
        # The time of day of the first entry in the folder "grub", which is in the first cluster.
        data = self.one.read_bytes()
        at = data.index(b"GRUB    CFG", ESP + 512)
        put(self.other, at + 22, struct.pack("<H", 13 << 11))
        said = self.said()
        self.assertRegex(said[1], "^  grub/grub.cfg: 14 bytes, time [0-9]+ and 14 bytes, time [0-9]+$")

    def test_a_file_on_squashfs(self):
        put(self.other, USR, make_squashfs(self.folder, "Welcoma\n")[0])
        said = self.said()
        self.assertRegex(said[0], "^mailstead-usr-a: ")
        self.assertRegex(said[1], "^  file system: ")
        self.assertEqual(said[-1], "  greeting: content, from offset 6")

    def test_a_mode_and_an_owner_on_squashfs(self):
        put(self.other, USR, make_squashfs(self.folder, "Welcome\n", mode=0o600)[0])
        self.assertRegex(self.said()[-1], r"^  /greeting: -rw-r--r-- 0/0 8 .* and -rw------- 0/0 8 ")
        put(self.other, USR, make_squashfs(self.folder, "Welcome\n", owner=7)[0])
        self.assertRegex("\n".join(self.said()), r"/greeting: -rw-r--r-- 0/0 8 .* and -rw-r--r-- 7/0 8 ")

    def test_the_hash_tree(self):
        put(self.other, USR + self.tree + 4096 + 17, b"\2")
        at = self.tree + 4096 + 17
        self.assertEqual(self.said(), [
            f"mailstead-usr-a: 1 byte differs, the first at {USR + at} of the image, {at} of this part",
            f"  hash tree: 1 byte differs, the first at {at} of the partition"])

    def test_a_damaged_file_system(self):
        put(self.other, USR + 96, b"\xff" * 64)
        self.assertRegex(self.said()[-1], "its files cannot be read: ")

    def test_another_size(self):
        with open(self.other, "ab") as file:
            file.write(b"\0" * 512)
        self.assertEqual(self.said()[0], f"sizes: {SIZE} and {SIZE + 512} bytes")


class MidnightTest(unittest.TestCase):
    MIDNIGHT = datetime.datetime(2028, 1, 1, tzinfo=datetime.timezone.utc)

    def said(self, *lines):
        with self.assertRaises(builds.Failed) as failed:
            builds.check_midnight(self.MIDNIGHT, lines)
        return str(failed.exception)

    def test_it_strikes(self):
        at = int(self.MIDNIGHT.timestamp())
        builds.check_midnight(self.MIDNIGHT, [f"{at - 1} {at}"])

    def test_it_does_not(self):
        at = int(self.MIDNIGHT.timestamp())
        self.assertEqual(self.said(f"{at - 2} {at - 1}"),
                         "the build ended before midnight, 2028-01-01 00:00:00: by its clock it ran from "
                         "2027-12-31 23:59:58 to 2027-12-31 23:59:59")
        self.assertEqual(self.said(f"{at} {at + 5}"),
                         "the build began after midnight, 2028-01-01 00:00:00: by its clock it ran from "
                         "2028-01-01 00:00:00 to 2028-01-01 00:00:05")

    def test_nobody_knows(self):
        self.assertEqual(self.said(), "one build was to tell its clock, and 0 did")
        self.assertEqual(self.said("1 2", "1 2"), "one build was to tell its clock, and 2 did")

    def test_the_day(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        for days in (400, -400):
            left = builds.midnight_after(days) - now - datetime.timedelta(days=days)
            self.assertGreater(left, datetime.timedelta(0))
            self.assertLessEqual(left, datetime.timedelta(days=1))


# Stands in for mailstead: its images are the disk, but for a byte that depends on what they must not. Not a shell
# script: clock.c counts on a process that leaves by exit(3), as mailstead does and dash does not.
STUB = """#!/usr/bin/python3
import subprocess, sys
script = {script!r}
sys.exit(subprocess.run(["sh", "-c", script, *sys.argv]).returncode)
"""


class TableTest(DiskCase):
    def table(self, leak, *options):
        """Exit code and lines of repro.py for a program that lets something leak into its images."""
        site = self.folder / "site"
        (site / "secrets").mkdir(parents=True, exist_ok=True)
        (site / "mail.yaml").touch()
        (site / "mailstead.lock").touch()
        program = self.folder / "mailstead"
        program.write_text(STUB.format(script=f'image=$4\ncp {self.one} "$image"\n{leak}\n'))
        program.chmod(0o755)
        self.folder.chmod(0o755)
        done = subprocess.run([HERE / "repro.py", program, site / "mail.yaml", self.folder / "work", *options],
                              capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout.splitlines()

    def row(self, lines, name):
        return next(line for line in lines if line.startswith(name))

    def test_a_leak_of_the_umask(self):
        leak = 'test "$(umask)" != 0077 || printf x | dd of="$image" bs=1 seek=20480 conv=notrunc status=none'
        code, lines = self.table(leak, "--only", "umask 077", "--only", "time zone")
        self.assertEqual(code, 1)
        self.assertIn("DIFFERS", self.row(lines, "umask 077"))
        self.assertIn("same", self.row(lines, "time zone"))
        self.assertIn("outside of partitions: 1 byte differs, the first at 20480 of the image", "\n".join(lines))

    def test_a_leak_of_the_order_of_folders(self):
        leak = 'mkdir -p "$HOME/d" && touch "$HOME/d/a" "$HOME/d/b" && ls -U "$HOME/d" >list; ' \
               'tail -n 1 list | dd of="$image" bs=1 seek=20480 conv=notrunc status=none'
        code, lines = self.table(leak, "--only", "reversed order", "--only", "again")
        self.assertIn("DIFFERS", self.row(lines, "reversed order"))

    def test_leaks_of_clock_and_locale(self):
        leak = 'date +%Y | dd of="$image" bs=1 seek=20480 conv=notrunc status=none; sleep 3'
        code, lines = self.table(leak, "--only", "clock of the program")
        self.assertEqual(code, 1)
        self.assertIn("DIFFERS", self.row(lines, "clock of the program"))
        leak = 'locale decimal_point | dd of="$image" bs=1 seek=20480 conv=notrunc status=none'
        code, lines = self.table(leak, "--only", "Turkish locale")
        self.assertIn("DIFFERS", self.row(lines, "Turkish locale"))

    def test_a_build_that_midnight_is_to_strike_in(self):
        code, lines = self.table("sleep 3", "--only", "clock of the program")
        self.assertEqual(code, 0)
        self.assertIn("same", self.row(lines, "clock of the program"))
        code, lines = self.table("", "--only", "clock of the program")
        self.assertEqual(code, 1)
        self.assertIn("FAILED", self.row(lines, "clock of the program"))
        self.assertRegex("\n".join(lines), "the build ended before midnight, .* 00:00:00: by its clock it ran from ")

    def test_what_cannot_be_tried_is_no_success(self):
        code, lines = self.table("", "--only", "other Debian")
        self.assertEqual(code, 1)
        self.assertRegex(self.row(lines, "other Debian"), "NOT TRIED .*: needs ")
        self.assertEqual(self.table("", "--only", "other Debian", "--allow-missing")[0], 0)

    def test_a_build_that_fails(self):
        code, lines = self.table('echo "no room" >&2; exit 3', "--only", "again")
        self.assertEqual(code, 1)
        self.assertIn("no room", "\n".join(lines))

    def test_what_differs_of_several_in_one_build(self):
        options = ("--short", "--only", "elsewhere", "--against", self.other)
        leak = 'printf x | dd of="$image" bs=1 seek=20480 conv=notrunc status=none'
        code, lines = self.table(f'test "$(umask)" != 0077 || {leak}', *options)
        self.assertEqual(code, 1)
        self.assertIn("DIFFERS", self.row(lines, "elsewhere"))
        self.assertIn("DIFFERS", self.row(lines, "umask 077"))
        for same in ("home and path", "time zone", "Turkish locale", "host name", "environment", "reversed order",
                     "1 core"):
            self.assertIn(" same ", self.row(lines, same))
        self.assertIn("what differs of 'elsewhere' alone: umask 077", [line.strip() for line in lines])
        self.assertEqual(lines[-1], "9 builds: 2 other or failed, 0 not tried")
        code, lines = self.table(f'test "$(umask)" != 0077 || test -z "$TZ" || {leak}', *options)
        self.assertEqual(code, 1)
        self.assertIn("what differs of 'elsewhere' alone: nothing", [line.strip() for line in lines])
        self.assertEqual(lines[-1], "9 builds: 1 other or failed, 0 not tried")
        code, lines = self.table("", *options)
        self.assertEqual((code, lines[-1]), (0, "1 builds: 0 other or failed, 0 not tried"))


if __name__ == "__main__":
    unittest.main()
