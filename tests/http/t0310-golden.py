#!/usr/bin/env python3
"""Recorded questions, asked again: tests/data/golden, by check-golden, behind every web server."""
import gzip

from harness import *

if utc_now() < T("2026-11-08T00:00:00"):
    skip_all("the recordings are of November 2026, and this clock says it has not been")

checker = os.path.join(HELPER, "check-golden")
archive = tricky_archive()
cache = temp_dir("cache")
os.chmod(cache, 0o777)
for web in WEB_SERVERS:
    server = Server(archive, web=web, cache=cache)
    for name in ("tricky.jsonl.gz", "bad-input.jsonl"):
        source = os.path.join(DATA, "golden", name)
        with (gzip.open(source, "rt") if name.endswith(".gz") else open(source)) as f:
            count = len(f.readlines())
        # Behind the first one twice: the second time from the index.
        for turn in ("first", "second")[:2 if web == WEB_SERVERS[0] else 1]:
            p = subprocess.run([sys.executable, checker, server.url, source], stdout=subprocess.PIPE, text=True, timeout=5 * PATIENCE)
            ok(p.returncode == 0 and f"{count} agree, 0 differ" in p.stdout, f"{web}: {name}: all {count} agree, the {turn} time", p.stdout[-3000:])
    server.stop()
finish()
