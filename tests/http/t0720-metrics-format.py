#!/usr/bin/env python3
"""The text of /metrics: by a checker of our own, which is tested first, and by
promtool; and that nobody can make it longer with names that he makes up."""
from harness import *

CHECK = os.path.join(HELPER, "check-metrics")
GOOD = """\
# a comment
# HELP a_total Things, \\\\ and \\n.
# TYPE a_total counter
a_total{x="1",y="\\\\ \\" \\n {},"} 1
a_total{x="2",y=""} 2.5e3
# HELP g A gauge.
# TYPE g gauge
g -3
# HELP h_seconds A histogram.
# TYPE h_seconds histogram
h_seconds_bucket{x="1",le="0.1"} 1
h_seconds_bucket{x="1",le="1.0"} 1
h_seconds_bucket{x="1",le="+Inf"} 3
h_seconds_count{x="1"} 3
h_seconds_sum{x="1"} 7.25
"""
same(Metrics(GOOD).faults, [], "a good text has no fault")
same(Metrics(GOOD).get("a_total"), 2501.0, "and is read")
same(Metrics(GOOD).series["a_total", (("x", "1"), ("y", '\\ " \n {},'))], 1.0, "with its escapes")
BUCKET = 'h_seconds_bucket{x="1",le="1.0"} 1\n'
for what, old, new in (
        ("series twice", 'a_total{x="2",y=""}', 'a_total{y="\\\\ \\" \\n {},",x="1"}'),
        ("no TYPE before", "# TYPE g gauge\n", ""),
        ("no HELP before", "# HELP g A gauge.\n", ""),
        ("TYPE after samples", "# TYPE g gauge\ng -3\n", "g -3\n# TYPE g gauge\n"),
        ("HELP after samples", "# HELP g A gauge.\n# TYPE g gauge\ng -3\n", "# TYPE g gauge\ng -3\n# HELP g A gauge.\n"),
        ("TYPE twice", "# TYPE g gauge\n", "# TYPE g gauge\n# TYPE g gauge\n"),
        ("HELP twice", "# HELP g A gauge.\n", "# HELP g A gauge.\n# HELP g Another.\n"),
        ("no help", "# HELP g A gauge.\n", "# HELP g\n"),
        ("type 'gouge'", "# TYPE g gauge", "# TYPE g gouge"),
        ("not in one piece", "g -3\n", 'g -3\na_total{x="3"} 1\n'),
        ("not in order", BUCKET, BUCKET.replace("1.0", "0.01")),
        ("not in order", BUCKET, BUCKET.replace("1.0", "0.10")),
        ("not cumulative", BUCKET, BUCKET.replace("} 1", "} 0")),
        ("not cumulative", BUCKET, BUCKET.replace("} 1", "} 4")),
        ("+Inf is not the count", "h_seconds_count{x=\"1\"} 3", "h_seconds_count{x=\"1\"} 4"),
        ("+Inf is not the count", 'h_seconds_count{x="1"} 3\n', ""),
        ("no +Inf bucket", 'h_seconds_bucket{x="1",le="+Inf"} 3\n', ""),
        ("no sum", 'h_seconds_sum{x="1"} 7.25\n', ""),
        ("different buckets", GOOD[-1:], '\nh_seconds_bucket{le="+Inf"} 3\nh_seconds_count 3\nh_seconds_sum 1\n'),
        ("sample of its own name", BUCKET, BUCKET + "h_seconds 1\n"),
        ("le is", 'le="1.0"', 'le="one"'),
        ("has a label le", "g -3", 'g{le="1"} -3'),
        ("labels:", 'x="2"', "x=2"),
        ("labels:", 'x="2"', 'x="\\2"'),
        ("labels:", 'x="2"', 'x="2'),
        ("labels:", 'x="2",', 'x="2" '),
        ("labels:", 'x="2"', '2x="2"'),
        ("a label twice", 'x="2",y', 'x="2",x'),
        ("a reserved label", 'x="2"', '__x="2"'),
        ("not a sample", "g -3", "g"),
        ("not a sample", "g -3", "2g -3"),
        ("not a sample", "g -3", "g  -3"),
        ("not a number", "g -3", "g three"),
        ("a time of its own", "g -3", "g -3 1700000000000"),
        ("bad escape", "\\n.", "\\t."),
        ("is named ..._total", "a_total", "a_count"),
        ("no name for a gauge", "g", "g_total"),
        ("a counter of", "2.5e3", "-1"),
        ("a counter of", "2.5e3", "NaN"),
        ("no newline at the end", GOOD[-3:], "25")):
    text = re.sub(r"(?<![a-z_])g(?![a-z])", "g_total", GOOD) if (old, new) == ("g", "g_total") else \
        GOOD.replace(old, new) if old == "a_total" else GOOD[:-1] + new if old == GOOD[-1:] else \
        GOOD[:GOOD.rindex(old)] + new + GOOD[GOOD.rindex(old) + len(old):]
    faults = Metrics(text).faults
    ok(any(what in f for f in faults), f"the checker finds: {what} ({short(new, 40)})", (faults, text))
for before, after, status, what in ((GOOD, None, 0, "nothing"), (GOOD, GOOD, 0, "nothing in two"), (GOOD.replace("g -3", "g"), None, 1, "a fault"),
                                    (GOOD, GOOD.replace("2.5e3", "2"), 1, "what falls"), (GOOD, GOOD.replace('a_total{x="2",y=""} 2.5e3\n', ""), 1, "what is gone"),
                                    (GOOD, GOOD.replace("g -3", "g -4"), 0, "not a gauge that falls")):
    folder = temp_dir("check")
    for i, text in enumerate((before, after)):
        if text is not None:
            with open(os.path.join(folder, str(i)), "w") as f:
                f.write(text)
    p = subprocess.run([CHECK, *sorted(os.path.join(folder, n) for n in os.listdir(folder))], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    same((p.returncode, bool(p.stdout)), (status, bool(status)), f"check-metrics finds {what}")

# ----------------------------------------------------------- the real thing

archive = Archive()
archive.run("chan", "source", T("2024-03-01T10:00:00"), 10, size=20000)
server = Server(archive, ["--workers", "2"])
R = "start=2024-03-01T10:00:00&end=2024-03-01T10:00:10"


def ask_all():
    status, routes, _ = run_program("routes")
    for line in routes.decode().splitlines():
        if not line.startswith("/"):
            continue
        path = line.split()[0].replace(":channel", "chan").replace(":quality", "source").replace(":hour", "2024-03-01T10")
        for query in ("", f"?{R}", f"?{R}&type=rough", "?start=x", "?timestamp=2024-03-01T10:00:01"):
            server.get(path + query)
        server.head(path)
        server.get(path, method="OPTIONS")
        server.get(path, method="POST", body=b"{}")


ask_all()
wait_for(lambda: not server.helpers(), "heavy processes to end")
first = server.metrics()
ok(len([n for n in first.types if n.startswith("http_request_latency_")]) > 15, "all endpoints were asked", sorted(first.types))
same(first.faults, [], "our checker finds no fault in the text of a server that did everything")
# Inherited names, which dashboards use: "hours" is no unit there.
INHERITED = [f'{name} use base unit "seconds" instead of "hours"' for name in ("http_request_concurrency_list_hours", "http_request_latency_list_hours")]
found = promtool("check", "metrics", stdin=first.text.encode())
if found:
    same(sorted(set(found[1].splitlines()) - {""}), sorted(INHERITED), "promtool has no complaint but of names that we inherited")
else:
    skip("promtool check metrics", "promtool is not installed")


def resident():
    total = 0
    for pid in server.workers():
        with open(f"/proc/{pid}/statm") as f:
            total += int(f.read().split()[1]) * 4096
    return total


# 5,000 requests for names that do not exist; another test has 100,000.
def strangers(count, begin):
    for i in range(begin, begin + count):
        name = f"stranger{i}" + "x" * (i % 5 * 50)
        path = ("/files/{}", "/files/{}/q", "/files/chan/source/{}", "/playlist/{}.m3u8", f"/playlist/chan/{{}}.m3u8?{R}", f"/cut/{{}}/source.ts?type=rough&{R}",
                "/{}", "/segments/chan/source/{}/x.ts", f"/frame/chan/{{}}.png?timestamp=now", "/extras/{}")[i % 10].format(name)
        fastcgi(server.socket_path, path)


strangers(500, 0)
before, memory = server.metrics(), resident()
threads = [threading.Thread(target=strangers, args=(2500, 1000 + 2500 * n)) for n in range(2)]
for t in threads:
    t.start()
for t in threads:
    t.join()
after = server.metrics()
same({k for k in after.series if k[0].endswith("_count")}, {k for k in before.series if k[0].endswith("_count")}, "5,000 names that do not exist: not a series more")
ok("stranger" not in after.text, "and none of them is in the text")
# What a worker grows by is not a thing per name: 5000 keys alone are 1.5 MB.
ok(resident() - memory < 1000000 or os.environ.get("ASAN_OPTIONS"), "the workers are as large as they were", (memory, resident()))
same((after.get("restreamer_metrics_series_dropped_total"), after.faults), (0.0, []), "nothing was dropped")
finish()
