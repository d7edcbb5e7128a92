#!/usr/bin/env python3
"""What deploy/ has for Prometheus and Grafana: every name in it is really
exported, and every alert is there when it should be."""
from harness import *

ALERTS = os.path.join(ROOT, "deploy", "prometheus-alerts.yml")
BOARD = os.path.join(ROOT, "deploy", "grafana-dashboard.json")
CASES = os.path.join(DATA, "alerts-test.yml")
# What Prometheus adds to all it scrapes.
ADDED = {"up"}
WORDS = {"by", "without", "and", "or", "unless", "on", "ignoring", "offset", "bool", "group_left", "group_right", "inf", "nan"}


def names_in(expression):
    """The metrics that an expression of PromQL asks for."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    text = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", text)
    text = re.sub(r"\b(by|without|on|ignoring)\s*\([^)]*\)", " ", text)
    return {n for n in re.findall(r"(?<![\w$.])([a-z_:][a-z0-9_:]*)\b(?!\s*\()", text)} - WORDS


def labels_in(expression):
    """[(metric, label, operator, value)]"""
    return [(name, *pair) for name, inside in re.findall(r"([a-z_:][a-z0-9_:]*)\{([^}]*)\}", expression)
            for pair in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', inside)]


same(names_in('sum by (a, le) (rate(x_total{b="c d"}[5m])) / y > 0.5 and (z offset 10m or on (q) w_1 * 0)'), {"x_total", "y", "z", "w_1"}, "names are found")
same(labels_in('rate(x{a="b", c!~"d|e"}[5m])'), [("x", "a", "=", "b"), ("x", "c", "!~", "d|e")], "and labels")

archive = Archive()
archive.run("chan", "source", T("2024-03-01T10:00:00"), 10, size=20000)
server = Server(archive, ["--workers", "2"])
R = "start=2024-03-01T10:00:00&end=2024-03-01T10:00:10"
same(server.get(f"/cut/chan/source.ts?type=rough&{R}").status, 200, "a cut, so that there is something of cuts")
wait_for(lambda: not server.helpers(), "it to end")
m = server.metrics()
endpoints = m.label_values("http_request_concurrency_all", "endpoint")

# ---------------------------------------------------------------- dashboard

with open(BOARD) as f:
    board = json.load(f)
panels = board["panels"]
targets = [(p["title"], t["expr"]) for p in panels for t in p["targets"]]
variables = {v["name"]: v for v in board["templating"]["list"]}
same(set(variables), {"datasource", "instance"}, "the dashboard's variables")
same({json.dumps(x["datasource"]) for p in panels for x in (p, *p["targets"])}, {'{"type": "prometheus", "uid": "${datasource}"}'}, "all panels ask the data source chosen")
same([len({p["id"] for p in panels}), len({p["title"] for p in panels})], [len(panels)] * 2, "each panel is one")
cells = [(x, y) for p in panels for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"]) for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])]
ok(len(set(cells)) == len(cells) and max(x for x, _ in cells) < 24, "and has a place of its own")
expressions = targets + [("instance", re.sub(r".*\((\w+),.*", r"\1", variables["instance"]["query"]["query"]))]

# ------------------------------------------------------------------- alerts

with open(ALERTS) as f:
    rules = f.read()
alerts = re.findall(r"- alert: (\w+)\n(.*?)(?=\n\n|\Z)", rules, re.S)
ok(len(alerts) >= 10, "alerts were found", alerts)
for name, body in alerts:
    expr = re.search(r"expr: (?:>-\n)?(.*?)\n\s*(?:for|labels):", body, re.S)[1]
    expressions.append((name, expr))
with open(CASES) as f:
    cases = f.read()
for name, _ in alerts:
    ok(len(re.findall(rf"alertname: {name}\b", cases)) >= 2, f"{name}: has a case of being there, and one of not")

# ------------------------------------------------------------ what they name

for where, expr in expressions:
    names = names_in(expr)
    same(sorted(names - m.names() - ADDED), [], f"{where}: all it asks for is exported: {sorted(names)}")
    ok(names, f"{where}: it asks for something", expr)
    for name, label, how, value in labels_in(expr):
        if label in ("instance", "job"):
            continue
        ok(None not in m.label_values(name, label), f"{where}: {name} has the label {label}")
        if label == "endpoint":
            parts = value.split("|")
            same([p for p in parts if not any(re.fullmatch(p, e) for e in endpoints)], [], f"{where}: there are such endpoints as {value}")
        if label == "level":
            same([p for p in value.split("|") if p not in ("debug", "info", "warning", "error")], [], f"{where}: there are such levels")

for what, args in (("check rules", ("check", "rules", ALERTS)), ("test rules", ("test", "rules", CASES))):
    found = promtool(*args)
    if found:
        same(found[0], 0, f"promtool {what}") or diag(found[1])
    else:
        skip(f"promtool {what}", "promtool is not installed")
found = promtool("check", "rules", "/dev/stdin", stdin=("groups:\n- name: board\n  rules:\n" + "".join(
    f"  - record: r{i}\n    expr: {json.dumps(re.sub(r'.__rate_interval', '5m', e).replace('$instance', '.*'))}\n" for i, (_, e) in enumerate(targets))).encode())
if found:
    same(found[0], 0, "promtool can read each expression of the dashboard") or diag(found[1])
else:
    skip("promtool and the dashboard", "promtool is not installed")
finish()
