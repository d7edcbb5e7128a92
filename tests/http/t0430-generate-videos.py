#!/usr/bin/env python3
"""/generate_videos: named ranges become files in the archive's directory.

Environment:  CUT_ARCHIVES    a directory that keeps the archives between runs
"""
import concurrent.futures
import os
import resource
import sys

from onvideo import *  # noqa: E402
from cutproof import numbers, probe  # noqa: E402
from cuttruth import channel_of, to_us  # noqa: E402

CHANNELS = ("bf2", "hole", "noaudio", "change")
kept = cut_archives(*CHANNELS, "hevc")
base = temp_dir("base")
os.chmod(base, 0o777)      # the server may run as somebody else
for channel in (*CHANNELS, "hevc"):
    shutil.copytree(os.path.join(kept, channel), os.path.join(base, channel))
server = Server(base, ["--allow-write", "--max-body-mb", "1"])


def files():
    return sorted(n for n in os.listdir(base) if n not in (*CHANNELS, "hevc"))


def times(channel, start, end):
    archive = channel_of(kept, channel)
    return [archive.iso(start), archive.iso(end)]


def post(channel, body, to=None, **more):
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    body = body.encode() if isinstance(body, str) else body
    return wait_for(lambda: (a := (to or server).get(f"/generate_videos/{channel}/source", method="POST", body=body, **more)).status != 503 and a, "a slot")


def check_file(name, channel, segments, text):
    """That a file holds these segments of a channel, by number, all of each."""
    archive = channel_of(kept, channel)
    want = [f.number & 0xffff for n in segments for f in sorted(archive.segments[n].frames, key=lambda f: f.pts)]
    path = os.path.join(base, name)
    ids, said = numbers(path)
    about = probe(path, "-show_entries", "format=start_time,format_name:stream=codec_name")
    codecs = [s["codec_name"] for s in about["streams"]]
    ok((sorted(ids) == sorted(want), said, about["format"]["format_name"], float(about["format"]["start_time"])) == (True, [], "matroska,webm", 0.0)
       and codecs == ["h264"] + ["aac"] * (channel != "noaudio"), f"{text}: {name}", (len(ids), len(want), ids[:2], said[:2], about))


# ------------------------------------------------------------------ written
a = post("bf2", {"one": times("bf2", 3, "6.5"), "größer als": times("bf2", 10, 12)})
same((a.status, a["content-type"], a["etag"], a["cache-control"]), (200, "application/json", None, "no-store"), "an answer")
same(a.json, {"written": ["bf2_source_one_0.mkv", "bf2_source_größer als_0.mkv"], "kept": []}, "that lists what was written")
same(files(), ["bf2_source_größer als_0.mkv", "bf2_source_one_0.mkv"], "and nothing else is there")
check_file("bf2_source_one_0.mkv", "bf2", range(1, 4), "whole segments")
check_file("bf2_source_größer als_0.mkv", "bf2", range(5, 6), "whole segments")
a = post("hole", {"x": times("hole", 1, 15)})
same(a.json, {"written": ["hole_source_x_0.mkv", "hole_source_x_1.mkv"], "kept": []}, "a file for each side of a hole")
check_file("hole_source_x_0.mkv", "hole", range(0, 4), "before the hole")
check_file("hole_source_x_1.mkv", "hole", range(4, 5), "behind it")
same(post("noaudio", {"x": times("noaudio", 1, 3)}).json, {"written": ["noaudio_source_x_0.mkv"], "kept": []}, "without sound")
check_file("noaudio_source_x_0.mkv", "noaudio", range(0, 2), "without sound")
a = post("change", {"x": times("change", 8, 12)})
same(a.status, 200, "over a change of the encoder")

# ------------------------------------------------------------------ left alone
before = {n: os.stat(os.path.join(base, n)) for n in files()}
with open(os.path.join(base, "hole_source_x_1.mkv"), "wb") as f:
    f.write(b"mine")
a = post("hole", {"x": times("hole", 1, 15), "y": times("hole", 1, 3)})
same(a.json, {"written": ["hole_source_y_0.mkv"], "kept": ["hole_source_x_0.mkv", "hole_source_x_1.mkv"]}, "what is there is left alone")
same(content([os.path.join(base, "hole_source_x_1.mkv")]), b"mine", "whatever it is")
same(os.stat(os.path.join(base, "hole_source_x_0.mkv")).st_mtime_ns, before["hole_source_x_0.mkv"].st_mtime_ns, "untouched")
os.symlink("/nonexistent", os.path.join(base, "bf2_source_link_0.mkv"))
same(post("bf2", {"link": times("bf2", 1, 3)}).json, {"written": [], "kept": ["bf2_source_link_0.mkv"]}, "a link that leads nowhere, too")
with concurrent.futures.ThreadPoolExecutor(6) as pool:
    answers = list(pool.map(lambda n: post("bf2", {"race": times("bf2", 0, 20)}), range(6)))
same(([a.status for a in answers], sum(len(a.json["written"]) for a in answers), sum(len(a.json["kept"]) for a in answers)), ([200] * 6, 1, 5), "of six at once one writes it")
check_file("bf2_source_race_0.mkv", "bf2", range(0, 10), "all of it")
same([n for n in os.listdir(base) if n.startswith(".")], [], "nothing hidden is left")

# ------------------------------------------------------------------ refused
R = times("bf2", 1, 3)
there = files()
for body, status, why in (
        (b"", 400, "no body"), ("nonsense", 400, "no JSON"), ("{", 400, "half of it"), ("[]", 400, "a list"), ("null", 400, "null"), ('"x"', 400, "a string"), ("{}", 400, "no name"),
        ('{"a": ["' + '","'.join(R) + '"]} x', 400, "more behind it"), ({"a": R[0]}, 400, "a string for two times"), ({"a": [R[0]]}, 400, "one time"), ({"a": [*R, R[1]]}, 400, "three"),
        ({"a": [1, 2]}, 400, "numbers"), ({"a": [None, None]}, 400, "null for a time"), ({"a": {"start": R[0], "end": R[1]}}, 400, "an object"), ({"a": ["yesterday", R[1]]}, 400, "no time"),
        ({"a": [R[0] + "+01:00", R[1]]}, 400, "an offset"), ({"a": R[::-1]}, 400, "backwards"), ({"a": [R[0], R[0]]}, 400, "no time at all"),
        ({"a": ["2000-01-01", "2020-01-01"]}, 400, "too long"),
        ({"a/b": R}, 400, "a slash"), ({"../a": R}, 400, "a way out"), ({"": R}, 400, "an empty name"), ({".a": R}, 400, "a hidden name"), ({"a\nb": R}, 400, "a line feed"),
        ({"a\x7f": R}, 400, "DEL"), ('{"a\\u0000b": ["%s","%s"]}' % tuple(R), 400, "a NUL"), (b'{"a\xff": ["x","y"]}', 400, "no UTF-8"), ({"a" * 101: R}, 400, "a long name"),
        ({str(n): R for n in range(101)}, 400, "101 names"), ('{"a":' * 50 + "1" + "}" * 50, 400, "deep"), ("[" * 60000, 400, "very deep"),
        ({"a": R, "b": ["2000-01-01", "2000-01-02"]}, 406, "one with nothing"), ('{"a": ["%s","%s"]}' % tuple(R) + " " * 70000, 413, "a long body"), (b" " * (1 << 20) + b"  ", 413, "a longer one")):
    a = post("bf2", body)
    ok(a.status == status and a.body.count(b"\n") == 1 and len(a.body) < 400 and base not in a.text, f"{why}: {status}", a)
a = post("bf2", {"fine": R, "not so": ["x", "y"]})
like(a.text, "'not so'", "it says which")
same(post("hevc", {"a": times("hevc", 1, 3)}).status, 406, "HEVC: 406")
same(post("nope", {"a": R}).status, 404, "no such channel: 404")
same(post("..", {"a": R}).status, 403, "a hidden channel: 403")
same(files(), there, "none of them wrote anything")

# ------------------------------------------------------------------ methods
for method in ("GET", "HEAD", "PUT", "DELETE"):
    a = server.get("/generate_videos/bf2/source", method=method)
    same((a.status, a["allow"]), (405, "POST, OPTIONS"), f"{method}: 405 with Allow")
a = server.get("/generate_videos/bf2/source", method="OPTIONS")
same((a.status, a["allow"], a["access-control-allow-origin"]), (204, "POST, OPTIONS", "*"), "OPTIONS")
a = server.get("/files", method="OPTIONS")
same((a.status, a["allow"]), (204, "GET, HEAD, OPTIONS"), "OPTIONS of others")
wait_for(lambda: (server.metrics().get("http_request_latency_generate_videos_count", channel="bf2", quality="source", method="POST", status="200") or 0) >= 8, "the count", 5)
ok(True, "counted as generate_videos, by channel and quality")

# ------------------------------------------------------------------ turned off
off = Server(base)
a = post("bf2", {"off": R}, to=off)
same((a.status, a.body.count(b"\n")), (403, 1), "without --allow-write: 403")
like(a.text, "--allow-write", "that says how to turn it on")
same(files(), there, "and nothing is written")
off.stop()

# ------------------------------------------------------------------ bodies, and failures
one = Direct(base, ["--allow-write"])
body = json.dumps({"direct": times("bf2", 1, 3)}).encode()


def ask(params=None, name=b"direct", body=body):
    return wait_for(lambda: (a := one.ask("/generate_videos/bf2/source", "POST", body=body.replace(b"direct", name), params=params)).status != 503 and a, "a slot")


for said in (str(len(body) - 1), str(len(body) + 1), "x", "-1", "1e3", "9" * 30):
    a = ask({"CONTENT_LENGTH": said})
    ok(a.status == 400 or a.status == 0, f"CONTENT_LENGTH {said}: 400", a)
same((ask({"CONTENT_LENGTH": None}).status, ask(name=b"second").status), (200, 200), "without a length; with the right one")
ok({"bf2_source_direct_0.mkv", "bf2_source_second_0.mkv"} <= set(files()), "both are written", files())
there = files()
one.stop()


def small_files(ignores):
    def prepare():
        if ignores:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
    return prepare


for ignores, what in ((True, "a full disk"), (False, "a process that is killed")):
    one = Direct(base, ["--allow-write"], preexec_fn=small_files(ignores))
    a = ask(name=b"broken", body=json.dumps({"direct": times("bf2", 0, 20)}).encode())
    ok(a.status == 500 if ignores else not a.whole, f"{what}: an error", a)
    ok(base not in a.text and a.body.count(b"\n") <= 1, f"{what}: in words", a)
    same(sorted(set(os.listdir(base)) - set(CHANNELS) - {"hevc"}), there, f"{what}: leaves no file")
    one.stop()

# ------------------------------------------------------------------ without a server
status, out, said = run_program("generate_videos", "bf2", "source", "--base", base, "--cache", temp_dir("cache"), stdin=subprocess.DEVNULL)
same((status, out), (2, b""), "restreamer generate_videos without a body: exit 2")
with tempfile.TemporaryFile() as f:
    f.write(json.dumps({"offline": times("bf2", 3, "6.5")}).encode() + b"\n")
    f.seek(0)
    status, out, said = run_program("generate_videos", "bf2", "source", "--base", base, "--cache", temp_dir("cache"), stdin=f)
same((status, json.loads(out or b"null"), said), (0, {"written": ["bf2_source_offline_0.mkv"], "kept": []}, b""), "restreamer generate_videos")
same(content([os.path.join(base, "bf2_source_offline_0.mkv")]), content([os.path.join(base, "bf2_source_one_0.mkv")]), "the same bytes as the server's")
finish()
