#!/usr/bin/env python3
"""deploy/examples: scripts as people write them, against a server that misbehaves."""
import contextlib

from onvideo import *

EXAMPLES = os.path.join(ROOT, "deploy", "examples")
base = cut_archives("bf2")
channel = "bf2"
hour = sorted(os.listdir(os.path.join(base, channel, "source")))[0]
first = min(n for n in os.listdir(os.path.join(base, channel, "source", hour)) if n.endswith(".ts"))
began = T(f"{hour}:{first.split('-')[0]}")
archive = Archive()
t0 = T("2024-03-01T10:00:00")
paths = archive.run("big", "source", t0, 30, size=1 << 20)
work = temp_dir("examples")


def run(name, *args, env=None, stdin=None):
    p = subprocess.run([os.path.join(EXAMPLES, name), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, input=stdin,
                       env=dict(os.environ, **(env or {})), timeout=2 * PATIENCE, **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
    return p.returncode, p.stdout


def at(offset):
    return iso(began + seconds(offset))


def bytes_of(path):
    with open(path, "rb") as f:
        return f.read()


for name in sorted(os.listdir(EXAMPLES)):
    status, words = run(name)
    ok(status == 2 and words.startswith(name), f"{name}: alone says how it is called", (status, words))

# ------------------------------------------------------------------ fetch-cut
server = Server(archive, ["--heavy-max", "2"])
BIG = f"{server.url}cut/big/source.ts?type=rough&start={iso(t0)}&end={iso(t0 + seconds(60))}"
whole = content(paths)
target = os.path.join(work, "big.ts")
p = subprocess.Popen([os.path.join(EXAMPLES, "fetch-cut"), BIG, target], env=dict(os.environ, CURL="curl --limit-rate 4M"), stdout=subprocess.PIPE,
                     stderr=subprocess.STDOUT)
kills = 0
while kills < 3:
    size = os.path.getsize(target + ".part") if os.path.exists(target + ".part") else 0
    wait_for(lambda: p.poll() is not None or os.path.exists(target + ".part") and os.path.getsize(target + ".part") > size + (1 << 20), "some bytes")
    if p.poll() is not None:
        break
    for pid in server.helpers() + server.workers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    kills += 1
same(p.wait(PATIENCE), 0, "fetch-cut: ends well, however often it was broken off")
ok(kills >= 2, "and it was", kills)
ok(bytes_of(target) == whole, "with every byte", p.stdout.read())
same(sorted(os.listdir(work)), ["big.ts"], "and nothing beside")
log = server.log("nginx-access.log")
ok(re.search(r'" 206 ', log), "it went on where it was", log[-500:])

# Half of something else.
with open(target + ".part", "wb") as f:
    f.write(b"x" * 1000)
with open(target + ".etag", "w") as f:
    f.write('"other"\n')
os.unlink(target)
same(run("fetch-cut", BIG, target)[0], 0, "fetch-cut: what is left of another cut")
ok(bytes_of(target) == whole, "is not taken for a part of this one")
# All there, but for its name.
os.rename(target, target + ".part")
with open(target + ".etag", "w") as f:
    f.write(server.get(BIG.removeprefix(server.url[:-1]), method="HEAD")["etag"] + "\n")
same(run("fetch-cut", BIG, target)[0], 0, "fetch-cut: one that is whole but for its name")
ok(bytes_of(target) == whole, "gets it")
status, words = run("fetch-cut", BIG.replace("start=2", "start=x2"), os.path.join(work, "bad.ts"))
ok(status == 1 and "start" in words, "fetch-cut: a bad request fails, in the server's words", (status, words))
# No place: it waits for one.
slow = [SlowClient(server, BIG.removeprefix(server.url[:-1])) for _ in range(2)]
same({c.read_head().status for c in slow}, {200}, "two slow cuts take both places")
p = subprocess.Popen([os.path.join(EXAMPLES, "fetch-cut"), BIG, os.path.join(work, "late.ts")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
ok(any(line.startswith("busy") for line in p.stderr), "fetch-cut: is told that there is no place")
for c in slow:
    c.close()
same(p.wait(PATIENCE), 0, "and gets one later")
ok(bytes_of(os.path.join(work, "late.ts")) == whole, "with all of it")

# ---------------------------------------------------------------- mirror-hour
mirror = Archive()
H = f"{t0:%Y-%m-%dT%H}"
for path in paths:      # names that say what is in them
    digest = base64.urlsafe_b64encode(hashlib.sha256(bytes_of(path)).digest()).decode().rstrip("=")
    os.rename(path, re.sub(r"-[^/]{43}\.ts$", f"-{digest}.ts", path))
folder = os.path.dirname(paths[0])
names = sorted(os.listdir(folder))
archive.bury(os.path.join(folder, names[3]))
status, words = run("mirror-hour", server.url, mirror.path, "big", "source", H)
copied = os.path.join(mirror.path, "big", "source", H)
same((status, words), (0, ""), "mirror-hour: all of it")
same(sorted(os.listdir(copied)), sorted(n for n in os.listdir(folder) if n != names[3]), "every file, and the tombstone, and nothing else")
ok(all(bytes_of(os.path.join(folder, n)) == bytes_of(os.path.join(copied, n)) for n in os.listdir(copied)), "byte for byte")
stamp = {n: os.stat(os.path.join(copied, n)).st_ino for n in os.listdir(copied)}
os.unlink(os.path.join(copied, names[7]))
with open(os.path.join(folder, names[8]), "r+b") as f:
    f.write(b"damaged")
os.unlink(os.path.join(copied, names[8]))
status, words = run("mirror-hour", server.url, mirror.path, "big", "source", H)
ok(status == 1 and names[8] in words and names[8] not in os.listdir(copied), "mirror-hour: a file that is not what it says is not taken", (status, words))
ok(names[7] in os.listdir(copied) and all(os.stat(os.path.join(copied, n)).st_ino == stamp[n] for n in os.listdir(copied) if n != names[7]),
   "and only what is missing is fetched")
server.stop()

# ------------------------------------------------- cut-list, contact-sheet
server = Server(base, ["--heavy-max", "2", "--edge-max", "1"])
cuts = os.path.join(work, "cuts")
moments = [("one", .5, 3.2, ""), ("two", 2, 4.5, "smart"), ("three", 1, 6, "rough"), ("four", 1, 3, "mkv"), ("five", 2.2, 5, "fast")]
text = "# name,channel,...\n\n" + "\n".join(f"{n},{channel},source,{at(a)},{at(b)}" + ("," + t if t else "") for n, a, b, t in moments)
status, words = run("cut-list", server.url, cuts, 4, stdin=text)
same(status, 0, "cut-list: five at four a time, with two places")
diag(words)
same(sorted(os.listdir(cuts)), sorted(n + (".mkv" if t == "mkv" else ".ts") for n, _, _, t in moments), "five files")
for n, a, b, t in moments:
    if t != "mkv":
        want = server.ask(f"/cut/{channel}/source.ts?start={at(a)}&end={at(b)}&type={t or 'smart'}").body
        ok(bytes_of(os.path.join(cuts, n + ".ts")) == want, f"cut-list: {n} is the cut")
status, words = run("cut-list", server.url, cuts, stdin=text + f"\nsix,{channel},source,{at(5)},{at(4)}\n../seven,{channel},source,{at(1)},{at(2)}\n")
ok(status == 1 and "failed: six" in words and "not a name" in words and len(os.listdir(cuts)) == len(moments), "cut-list: says what failed", (status, words))
sheet = os.path.join(work, "sheet.jpg")
same(run("contact-sheet", server.url, channel, "source", at(0), at(8), sheet, 4, 2)[0], 0, "contact-sheet")
status, words = run("contact-sheet", server.url, channel, "source", at(8), at(0), os.path.join(work, "none.jpg"))
ok(status == 1 and "end" in words and not [n for n in os.listdir(work) if n.startswith("none")], "contact-sheet: an error is told, and is no picture", (status, words))
status, words = run("cut-list", server.url, cuts, stdin="\r\n  \r\n" + f"crlf,{channel},source,{at(1)},{at(2)}\r\n")
ok(status == 0 and os.path.exists(os.path.join(cuts, "crlf.ts")), "cut-list: lines may end as on other systems", (status, words))
from PIL import Image
with Image.open(sheet) as picture:
    ok(picture.format == "JPEG" and picture.width > 300, "is a picture", picture)
finish()
