#!/usr/bin/env python3
"""deploy/run starts, answers, stops, and says what is wrong when it cannot."""
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time

from harness import *

RUN = os.path.join(ROOT, "deploy", "run")
archive = Archive()
paths = archive.run("chan", "source", T("2024-03-01T10:00:00"), 5)

server = Server(archive)
ok(re.fullmatch(r"http://127\.0\.0\.1:\d+/", server.url), "a ready line with the URL")
a = server.get("/healthz")
same(a.status, 200, "/healthz is 200")
ok(isinstance(a.json, dict) and a["content-type"] == "application/json"
   and a.body.count(b"\n") <= 1, "/healthz is a line of JSON", a)
a = server.get("/files")
same((a.status, a.json), (200, ["chan"]), "/files lists the channel")
a = server.get("/playlist/chan/source.m3u8")
uris = Media(a.text).uris
same(len(uris), 5, "the playlist has the segments")
same(server.get(uris[2]).body, content(paths[2:3]), "a segment from the playlist arrives whole")
a = server.get("/cut/chan/source.ts?type=rough&start=2024-03-01T10:00:02&end=2024-03-01T10:00:06")
same(a.body, content(paths[1:3]), "a rough cut is the concatenated segments")
same(server.get("/no/such/thing").status, 404, "an unknown path is 404")

began = {pid: name_of(pid) for pid in [server.master, *descendants(server.master), *children(server.process.pid)]}
same(server.stop(), 0, "TERM: deploy/run exits with 0")
same({pid: name for pid, name in began.items() if is_alive(pid)}, {}, "TERM: nothing stays behind")
try:
    socket.create_connection(("127.0.0.1", server.port), 5).close()
    ok(False, "TERM: the port is closed")
except ConnectionRefusedError:
    ok(True, "TERM: the port is closed")


def run(*args, env=None, timeout=PATIENCE):
    e = dict(os.environ, BUILD_DIR=BUILD, **(env or {}))
    p = subprocess.run([RUN, *args], env=e, stdin=subprocess.DEVNULL, timeout=timeout,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return p.returncode, p.stdout, p.stderr


for args, pattern in (
        (["--port", "x"], "--port"), (["--port", "70000"], "--port"), (["--port"], "--port"),
        (["--server", "iis"], "--server"),
        (["--base", "/no/such/dir"], "--base"), (["--nonsense"], "--nonsense")):
    status, out, err = run(*args)
    ok(status != 0 and pattern in err and not out, f"{' '.join(args)}: refused, and says why", (status, out, err))
status, out, err = run("--help")
ok(status == 0 and "--base" in out and "RESTREAMER_NGINX_EXTRA" in out, "--help says how")

with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    s.listen()
    port = s.getsockname()[1]
    status, out, err = run("--base", archive.path, "--cache", temp_dir("cache"), "--port", str(port))
    ok(status != 0 and str(port) in err, "a port in use: says so", (status, err))

status, out, err = run("--base", archive.path, "--cache", temp_dir("cache"), "--port", "0", "--", "--no-such-option")
ok(status != 0 and "no-such-option" in err and "ready" not in out,
   "a bad option of serve: fails and shows its words", (status, out, err))

# Either of the two dies: said, and the other does not stay.
for what in ("restreamer", "nginx"):
    s = Server(archive)
    web = [p for p in children(s.process.pid) if name_of(p) == "nginx"]
    ok(len(web) == 1, "deploy/run has nginx for a child", web)
    os.kill(s.master if what == "restreamer" else web[0], signal.SIGKILL)
    status, said = s.wait_end()
    ok(status == 1 and f"{what} ended by itself" in said, f"{what} killed: deploy/run says so and fails", (status, said))
    ok(not is_alive(s.master) and not is_alive(web[0]), f"{what} killed: the other is stopped")

# INT, and a directory of its own that goes away.
tmp = temp_dir("tmp")
p = subprocess.Popen([RUN, "--base", archive.path, "--port=0", "--cache", temp_dir("cache")],
                     env=dict(os.environ, BUILD_DIR=BUILD, TMPDIR=tmp), stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
at_end(p.kill)
for line in p.stdout:
    if line.startswith("ready "):
        break
ok(os.listdir(tmp), "a temporary directory while it runs")
p.send_signal(signal.SIGINT)
same(p.wait(PATIENCE), 0, "INT: exits with 0")
same(os.listdir(tmp), [], "INT: leaves nothing in the directory for temporary files")
p.stdout.close()

# No archive: a demo one.
if not shutil.which("ffmpeg"):
    skip("the demo archive", "no ffmpeg")
else:
    cache = temp_dir("cache")
    p = subprocess.Popen([RUN, "--port", "0", "--cache", cache], stdin=subprocess.DEVNULL,
                         env=dict(os.environ, BUILD_DIR=BUILD), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    at_end(p.kill)
    said, until = b"", time.monotonic() + 4 * PATIENCE
    while time.monotonic() < until and said.count(b"'http") < 4:
        if select.select([p.stdout], [], [], 1)[0]:
            chunk = os.read(p.stdout.fileno(), 65536)
            if not chunk:
                break
            said += chunk
    urls = re.findall(r"'(http\S+)'", said.decode())
    same(len(urls), 4, "demo: four examples to try")
    for url in urls:
        code, body, err = curl("--fail", "-H", "Accept-Encoding: identity", url)
        ok(code == 0 and body, f"demo: {url.split('/', 3)[3].split('?')[0]} works", err)
        if "/playlist/demo.m3u8" in url:
            variants, _ = read_master(body.decode())
            same([v[0]["VIDEO"] for v in variants], ["source", "360p"], "demo: two qualities")
        elif "/playlist/" in url:
            media = Media(body.decode())
            ok(len(media.items) == 60 and not media.gaps and media.ended and not media.faults,
               "demo: two minutes without a hole", (len(media.items), media.gaps, media.faults))
        elif "/cut/" in url:
            ok(len(body) > 1000000 and len(body) % 188 == 0, "demo: the cut is MPEG-TS", len(body))
    p.send_signal(signal.SIGTERM)
    ok(p.wait(PATIENCE) == 0, "demo: TERM exits with 0", p.stderr.read())
    p.stdout.close()
    p.stderr.close()

finish()
