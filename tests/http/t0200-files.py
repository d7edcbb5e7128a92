#!/usr/bin/env python3
"""/files at all its levels."""
from harness import *

archive = Archive()
t0 = T("2024-03-01T10:00:00")
paths = archive.run("chan", "source", t0, 4)
dead = archive.put("chan", "source", t0 + seconds(8))
archive.bury(dead)
temp = archive.put("chan", "source", t0 + seconds(10), kind="temp")
partial = archive.put("chan", "source", t0 + seconds(12), kind="partial")
archive.write("chan/source/2024-03-01T10/.hidden.ts")
archive.write("chan/source/2024-03-01T10/notes.txt")
archive.write("chan/source/2024-03-01T10/odd name.ts")
archive.write("chan/source/2024-03-01T10/alone.tombstone")
os.makedirs(os.path.join(archive.path, "chan/source/2024-03-01T10/dir.ts"))
archive.write("chan/chat/2024-03-01T10/00:00-abc.json", b"{}\n")
archive.write("chan/chat/2024-03-01T10/01:00-abc.txt", b"{}\n")
os.makedirs(os.path.join(archive.path, "chan/source/2024-03-01T09"))
os.makedirs(os.path.join(archive.path, "chan/source/not an hour"))
for name in ("Zeta", "alpha", "ünïcode", "a b", "-dash", "100%", ".hidden", "chan/.secret", "chan/720p", "chan/Z", "chan/160p"):
    os.makedirs(os.path.join(archive.path, name))
archive.write("a file")
archive.write("chan/a file")
server = Server(archive)


def listed(path, text=None):
    a = server.get(path)
    good = a.status == 200 and a["content-type"] == "application/json" and isinstance(a.json, list)
    ok(good, f"{path}: 200, a JSON list", a)
    if good:
        ok(a.json == sorted(a.json, key=lambda s: s.encode()), f"{path}: sorted by byte value", a.json)
        ok(not any(n.startswith(".") for n in a.json), f"{path}: nothing hidden", a.json)
    return a.json


same(listed("/files"), sorted(["chan", "Zeta", "alpha", "ünïcode", "a b", "-dash", "100%"], key=str.encode), "channels are the directories")
same(listed("/files/chan"), ["160p", "720p", "Z", "chat", "source"], "qualities are the directories")
hours = listed("/files/chan/source")
ok("2024-03-01T09" in hours and "2024-03-01T10" in hours, "hours", hours)
for path in ("/files/nope", "/files/nope/x", "/files/chan/nope", "/files/chan/nope/2024-03-01T10", "/files/chan/source/2030-01-01T00",
             "/files/chan/source/2024-03-01T09", "/files/a%20b", "/files/Zeta"):
    same(listed(path), [], f"{path}: nothing there is an empty list")

base = os.path.basename
H = "/files/chan/source/2024-03-01T10"
names = listed(H)
for path in paths + [partial]:
    ok(base(path) in names, f"{base(path)[:20]}: listed", names)
ok(base(dead) not in names, "a tombstoned one is not", names)
ok(not [n for n in names if n.endswith(".tombstone") or n.endswith(".txt")], "only .ts", names)
same(listed(H + "?tombstones=false"), names, "tombstones=false is the default")
with_dead = listed(H + "?tombstones=true")
ok(re.sub(r"\.ts$", ".tombstone", base(dead)) in with_dead, "tombstones=true shows the tombstone", with_dead)
ok("alone.tombstone" in with_dead, "also one without its segment", with_dead)
ok(base(dead) not in with_dead, "but not the segment that is deleted", with_dead)
same(sorted(n for n in with_dead if not n.endswith(".tombstone")), sorted(names), "and everything else as before")
same(listed("/files/chan/chat/2024-03-01T10"), ["00:00-abc.json"], "chat files are listed")

for path, made in (("/files/new", "new/source"), ("/files/new/q2", "new/q2/2024-03-01T11")):
    os.makedirs(os.path.join(archive.path, made))
    ok(made.split("/")[path.count("/") - 1] in listed(path), f"{path}: a new directory is seen at once")
for i in range(20):
    new = archive.put("chan", "source", t0 + seconds(100 + 2 * i))
    a = server.get(H).json
    if base(new) not in a:
        ok(False, "a new file is in the very next answer", i)
        break
    os.rename(new, new.replace("-full-", "-partial-"))
    if base(new.replace("-full-", "-partial-")) not in server.get(H).json:
        ok(False, "a renamed file is in the very next answer", i)
        break
else:
    ok(True, "20 new and renamed files are each in the very next answer")

a = server.get("/files")
same((a["cache-control"], bool(a["etag"])), ("no-cache", True), "a list may change: no-cache, with an ETag")
b = server.get("/files", {"If-None-Match": a["etag"]})
same((b.status, b.body), (304, b""), "If-None-Match: 304")
os.makedirs(os.path.join(archive.path, "one-more"))
b = server.get("/files", {"If-None-Match": a["etag"]})
ok(b.status == 200 and b["etag"] != a["etag"], "and 200 after a change", b)
finish()
