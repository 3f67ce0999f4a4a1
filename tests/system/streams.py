#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""streams.py MACHINE KEY: what may come instead of an update (see remote-machine.sh): cut off anywhere, changed anywhere, lengths that
lie, parts for other places, without an end. Each is refused in time, the slot that runs is as it was, no slot that has not been written
whole is on trial, and the next update works."""

import glob
import hashlib
import os
import random
import resource
import shutil
import subprocess
import sys
import time

machine, key = sys.argv[1:]
SIZES = {"usr": 128 << 10, "root": 64 << 10, "boot": 96 << 10}
random.seed(1)
for left in glob.glob(f"{machine}/run/mailstead-update.??????"):  # by one that was killed
    shutil.rmtree(left)
for slot in "ab":
    for name, size in SIZES.items():
        with open(f"{machine}/dev/{name}_{slot}", "wb") as file:
            file.write(random.randbytes(size // 2) + bytes(size - size // 2))
base = open(f"{machine}/usr/share/mailstead/base.json").read()
PROFILE = base.split('"profile": "')[1].split('"')[0]
ARCHIVE_TIME = int(base.split('"archive_time": ')[1].split(",")[0])
with open(f"{machine}/var/lib/mailstead/state-format", "w") as file:
    file.write("1\n")
HOSTNAME = open(f"{machine}/etc/hostname").read().strip()
IMAGE = {name: random.randbytes(size // 4) + bytes(size - size // 4) for name, size in SIZES.items()}
IMAGE["root"] = b"hsqs" + IMAGE["root"][4:]
serial = int(time.time()) - 3000  # one more each time
if os.path.exists(f"{machine}/var/lib/mailstead/update-serial"):
    os.remove(f"{machine}/var/lib/mailstead/update-serial")


def sign(manifest, namespace="mailstead-update", by=key):
    done = subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", by], input=manifest, capture_output=True, check=True)
    return done.stdout


def parts():
    """(line, bytes) of each part of IMAGE: what is in use, and zeros"""
    for name, content in IMAGE.items():
        used = len(content) // 4
        yield f"part {name} 0 {used} {hashlib.sha256(content[:used]).hexdigest()}", content[:used]
        yield f"part {name} {used} {len(content) - used} zeros", b""


def manifest(**changes):
    global serial
    serial += 1
    says = {"site": HOSTNAME, "profile": PROFILE, "root-hash": "0" * 64, "serial": serial, "not-after": int(time.time()) + 3600,
            "archive-time": ARCHIVE_TIME, "state-format": 1, "allow-older": "no", **{f"{name}-size": size for name, size in SIZES.items()}}
    lines = changes.pop("parts", [line for line, _ in parts()])
    says.update({name.replace("_", "-"): value for name, value in changes.items()})
    return "".join([f"{name} {value}\n" for name, value in says.items() if value is not None] + [line + "\n" for line in lines]).encode()


def stream(text, signature=None, content=b"".join(bytes_ for _, bytes_ in parts()), head=None):
    signature = sign(text) if signature is None else signature
    head = f"mailstead-update 1 {len(text)} {len(signature)}\n".encode() if head is None else head
    return head + text + signature + content


def play(data, endless=False):
    """what the machine answers, and the seconds that it took"""
    began = time.monotonic()
    with open("stream", "wb") as file:
        file.write(data)
    source = f"cat stream {'/dev/zero' if endless else ''}"
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))
    done = subprocess.run(["sh", "-c", source + f" | {machine}/bin/ssh update"], capture_output=True, timeout=120, preexec_fn=limit)
    taken = time.monotonic() - began
    settle()
    return done.stdout.decode(errors="replace"), taken


def settle():
    """until a restart is over"""
    for _ in range(300):
        if not os.path.exists(f"{machine}/restarting"):
            return
        time.sleep(0.1)
    raise AssertionError("the machine does not restart")


def digest(slot):
    sums = hashlib.sha256()
    for name in SIZES:
        sums.update(open(f"{machine}/dev/{name}_{slot}", "rb").read())
    return sums.hexdigest()


def state():
    return open(f"{machine}/state").read().split()


def reset():
    with open(f"{machine}/state", "w") as file:
        file.write("slot=a\ntry=-\nleft=0\n")
    with open(f"{machine}/running", "w") as file:
        file.write("a\n")


def scramble():
    for name, size in SIZES.items():
        with open(f"{machine}/dev/{name}_b", "wb") as file:
            file.write(random.randbytes(size))


running = digest("a")
count = 0


def bad(what, data, answer, written=False, endless=False):
    """Refused; `written`: only after the manifest has been believed, so the other slot may be half-written, but not on trial."""
    global count
    count += 1
    reset()
    if written:
        scramble()  # so that all parts are asked for, as the stream has all of them
    other = digest("b")
    said, seconds = play(data, endless)
    assert answer in said, (what, answer, said)
    assert digest("a") == running, what
    assert state() == ["slot=a", "try=-", "left=0"], (what, state())
    assert open(f"{machine}/running").read() == "a\n", what
    assert written or digest("b") == other, what
    # Half an image is nothing to go back to.
    assert not written or open(f"{machine}/dev/root_b", "rb").read(4) != b"hsqs", what
    assert seconds < 30, (what, seconds)
    assert not [name for name in os.listdir(f"{machine}/run") if name.startswith("mailstead-update.") and name != "mailstead-update.lock"], what


def good():
    global count
    count += 1
    reset()
    scramble()
    with open(f"{machine}/good", "w"):
        pass
    said, _ = play(stream(manifest()))
    assert "written b " in said, said
    assert state() == ["slot=b", "try=-", "left=0"], state()
    for name, content in IMAGE.items():
        assert open(f"{machine}/dev/{name}_b", "rb").read() == content, name


good()
whole = stream(manifest())
# The same once more, as somebody in between would: it has been seen.
first = stream(manifest())
reset()
scramble()
assert "written b " in play(first)[0]
bad("replayed", first, "refused this update, or a later one, has been taken before")

scramble()
text = manifest()
signature = sign(text)
head = f"mailstead-update 1 {len(text)} {len(signature)}\n".encode()
control = len(head) + len(text) + len(signature)
whole = stream(text, signature)
places = list(range(0, len(head) + 1, 5)) + list(range(len(head), control - 1, 97))
for place in places:
    bad(f"cut off at {place}", whole[:place], "refused ")
content = whole[control:]
for place in [0, 1, 511, 4096, len(content) // 2, len(content) - 1]:
    fresh = manifest()
    bad(f"cut off at byte {place} of the parts", stream(fresh, content=content[:place]), "failed ", written=True)
good()
for _ in range(40):
    place = random.randrange(len(head), control)
    changed = bytearray(whole)
    changed[place] ^= 1 << random.randrange(8)
    bad(f"a bit at {place}", bytes(changed), "refused ")
for place in [len(content) // 3, SIZES["usr"] // 4 + 8192, len(content) - 1]:  # of /usr, of the root behind its beginning, of the boot partition
    flipped = bytearray(content)
    flipped[place] ^= 4
    bad("a bit of a part", stream(manifest(), content=bytes(flipped)), "failed ", written=True)

for line in [b"", b"\n", b"SSH-2.0-x\n", b"GET / HTTP/1.0\n\n", b"mailstead-update 2 10 10\n", b"mailstead-update 1 99999999 10\n", b"mailstead-update 1 -1 10\n",
             b"mailstead-update 1 010 10\n", b"mailstead-update 1 10\n", b"mailstead-update 1 1e3 9\n", b"mailstead-update 1 a[$(id)] 9\n", b"\0" * 100 + b"\n",
             b"mailstead-update 1 " + b"9" * 10000 + b" 9\n"]:
    bad(line[:40], line + text + signature, "refused ")
bad("an endless line", b"x", "refused ", endless=True)
bad("an endless manifest", head + b"site ", "refused ", endless=True)

bad("for another purpose", stream(text, sign(text, namespace="file")), "does not have a signature")
subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "stranger"], check=True)
bad("by a stranger", stream(text, sign(text, by="stranger")), "does not have a signature")
bad("of another manifest", stream(text, sign(manifest())), "does not have a signature")

lines = [line for line, _ in parts()]
usr, size = lines[0].rsplit(" ", 1)[0], SIZES["usr"]


def with_parts(changed, answer):
    fresh = manifest(parts=changed)
    bad(changed, stream(fresh), answer)


with_parts(lines[1:], "is not where the one before it ends")
with_parts(lines[:-1], "are not all of 'boot'")
with_parts([lines[0]] + lines, "is not where the one before it ends")
with_parts([], "are not all of")
with_parts([f"part usr 0 {size + 4096} zeros"] + lines[2:], "are not all of 'usr'")
with_parts(["part usr 0 999999999995904 zeros"] + lines[2:], "are not all of 'usr'")
with_parts(["part usr 0 9999999999999999999 zeros"] + lines[2:], "does not understand a line")
with_parts(["part usr -4096 4096 zeros"] + lines, "does not understand a line")
with_parts([f"part usr 0 {size // 4 + 1} zeros", f"part usr {size // 4 + 1} {size - size // 4 - 1} zeros"] + lines[2:], "is not where the one before it ends")
with_parts([f"part usr 0 0 zeros"] + lines, "is not where the one before it ends")
with_parts(["part esp 0 4096 zeros"] + lines, "does not understand a line")
with_parts(["part ../boot 0 4096 zeros"] + lines, "does not understand a line")
with_parts(["part boot_a 0 4096 zeros"] + lines, "does not understand a line")
with_parts([f"part usr 0 {size} " + "g" * 64] + lines[2:], "does not understand a line")
with_parts(lines + [""], "does not understand a line")
for name, value, answer in [("site", "mail.other.example", "for another site"), ("site", None, "does not say 'site'"), ("profile", "x", "has another profile"),
                            ("serial", 1, "has been taken before"), ("serial", int(time.time()) + 7200, "a time that is still to come"),
                            ("serial", "08", "does not understand a line"), ("serial", "x[$(touch owned)]", "does not understand a line"),
                            ("not_after", int(time.time()) - 60, "has expired"), ("archive_time", ARCHIVE_TIME - 1, "older than those that run"),
                            ("state_format", 0, "the data of this machine have format 1"), ("state_format", None, "does not say 'state-format'"),
                            ("allow_older", "maybe", "does not understand a line"), ("usr_size", size * 2, "are not all of 'usr'"), ("boot_size", None, "does not say 'boot-size'")]:
    bad((name, value), stream(manifest(**{name: value})), answer)
bad("said twice", stream(manifest() + b"profile x\n"), "twice")
bad("without a last line end", stream(manifest()[:-1]), "refused ")
assert not os.path.exists("owned")

# A link where a partition should be is what the kernel gives, not what a manifest can ask for. More than was asked for is not read.
scramble()
reset()
assert "written b " in play(stream(manifest()), endless=True)[0]
assert digest("a") == running
for name, wanted in IMAGE.items():
    assert open(f"{machine}/dev/{name}_b", "rb").read() == wanted, name
# Two at once.
reset()
scramble()
fresh = stream(manifest())
slow = subprocess.Popen(["sh", "-c", f"(head -c {control + 5000} stream; sleep 4; tail -c +{control + 5001} stream) | {machine}/bin/ssh update"],
                        stdout=subprocess.PIPE, text=True)
with open("stream", "wb") as file:
    file.write(fresh)
time.sleep(2)
said = subprocess.run([f"{machine}/bin/ssh", "rollback"], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
assert "refused another update or rollback is under way" in said, said
assert "written b " in slow.communicate(timeout=60)[0]
settle()
# Who asked hangs up when all has been sent: it is brought to its end all the same.
reset()
scramble()
with open("stream", "wb") as file:
    file.write(stream(manifest()))
subprocess.run(["sh", "-c", f"cat stream | {machine}/bin/ssh update | head -c 1"], check=True, stdout=subprocess.DEVNULL)
for _ in range(100):
    if state() == ["slot=b", "try=-", "left=0"]:
        break
    time.sleep(0.1)
settle()
assert state() == ["slot=b", "try=-", "left=0"], state()
good()
print(f"{count} streams")
