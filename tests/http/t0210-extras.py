#!/usr/bin/env python3
"""/extras: every file below a directory."""
from harness import *

archive = Archive()
for name in ("emotes/25/dark-1.0", "emotes/25/light-1.0", "emotes/9/x", "emotes/index.json", "emotes/a b/ü.txt", "emotes/100%",
             "emotes/.hidden", "emotes/.dir/secret", "emotes/deep/1/2/3/4/5/file", ".secret/file", "chan/source/2024-03-01T10/x.ts",
             "emotes/Z", "a b%/ü.txt"):
    archive.write(name, b"x" + name.encode())
os.makedirs(os.path.join(archive.path, "hollow"))
outside = temp_dir("outside")
with open(os.path.join(outside, "passwd"), "w") as f:
    f.write("secret")
os.symlink(outside, os.path.join(archive.path, "emotes/link"))
server = Server(archive)

a = server.get("/extras/emotes")
same(a.status, 200, "200")
same(a["content-type"], "application/json", "JSON")
want = sorted(["25/dark-1.0", "25/light-1.0", "9/x", "index.json", "a b/ü.txt", "100%", "deep/1/2/3/4/5/file", "Z"], key=str.encode)
same([n for n in a.json if not n.startswith("link")], want, "every file as a relative path, nothing hidden, by byte value")
for path in ("/extras/nope", "/extras/hollow"):
    b = server.get(path)
    same((b.status, b.json), (200, []), f"{path}: an empty list")
same(server.get("/extras/.secret").status, 403, "a hidden directory: 403")
same(server.get("/extras/emotes/.dir").status, 403, "a hidden one further down: 403")
same(server.get("/extras/emotes/25").json, sorted(n[3:] for n in a.json if n.startswith("25/")), "a directory below: relative to it")
b = server.get("/extras/a%20b%25")
same(b.json, ["ü.txt"], "an encoded name")
same(server.get("/extras/emotes%2F25").status, 404, "an encoded slash: 404")
b = server.get("/segments/emotes/25/dark-1.0")
same((b.status, b.body), (200, b"xemotes/25/dark-1.0"), "what is listed can be fetched from /segments")
b = server.get("/segments/emotes/link/passwd")
ok(b.status in (403, 404) and b"secret" not in b.body, "a link out of the archive is not followed", b)
ok(not any("passwd" in n for n in a.json), "nor listed", a.json)
b = server.get("/extras/emotes", {"If-None-Match": a["etag"] or "none"})
same(b.status, 304, "it has an ETag")
archive.write("emotes/new", b"")
b = server.get("/extras/emotes", {"If-None-Match": a["etag"] or "none"})
ok(b.status == 200 and "new" in b.json, "a new file is seen at once", b)
finish()
