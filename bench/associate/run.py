#!/usr/bin/env python3
"""Measures `truceline associate`, and its peers beside it, on sets that nothing was tuned on.

    run.py [--scenarios iso,S,M,...] [--seeds 5001,5002,5003] [--peers pyocto,gamma,dbscan] [--install]

Sets are made by `truceline simulate` from the scenario and the seed; all work stays under
target/bench-associate. CPU seconds are those of the process, user and system, on one thread: on a
machine with other work they repeat within a few per cent, and wall time does not. Prints Markdown.

Peers live in virtual environments under target/peers (--install makes them) with the
configurations of peers.json, which tune.py found on a development seed. Where a peer cannot finish
a day, peer and engine are both scored on the span given in SPANS.
"""
import argparse, json, os, resource, statistics, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(ROOT, "target", "bench-associate")
PEERS = os.path.join(ROOT, "target", "peers")
ENVIRONMENTS = {"pyocto": ["numpy<2", "scipy", "pandas", "scikit-learn", "pyocto==0.2.2"], "gamma": ["gmma==1.2.17", "pandas"]}
PYTHON = {"pyocto": "pyocto", "dbscan": "pyocto", "gamma": "gamma"}
# Scored span of the peers, s; a scenario without one is scored whole.
SPANS = {"S": 6 * 3600, "no-salvo": 6 * 3600, "S-fa01": 6 * 3600, "S-fa10": 3 * 3600, "S-e2000": 2 * 3600, "S-e5000": 3600,
         "M": 3600, "L1h": 60, "rockets": 6 * 3600, "sparse": 6 * 3600, "hard": 6 * 3600}
PEER_LIMIT_S = 400
# The prototype of the design study: F1 and detections per CPU second of the whole set, from its own table.
PROTOTYPE = {"iso": (.969, 106210), "S": (.912, 4752), "S-fa01": (.979, 3652), "S-fa10": (.964, 10856), "S-e2000": (.759, 2214),
             "S-e5000": (.880, 3749), "M": (.836, 4122), "L1h": (.944, 5804), "sparse": (.432, 17256)}


def run(argv, log, limit=None):
    """Runs a program; its CPU seconds and peak memory in MB, or None if it failed."""
    def limits():
        if limit:
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    with open(log, "w") as out:
        child = subprocess.Popen(argv, stdout=out, stderr=out, preexec_fn=limits)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
    # Exit code 1: done, with rows set aside.
    if status not in (0, 1 << 8):
        return None
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def make(a, scenario, seed):
    folder = os.path.join(WORK, f"{os.path.basename(scenario)}-{seed}" + (f"-{a.hours}h" if a.hours else ""))
    if not os.path.exists(os.path.join(folder, "meta.json")):
        argv = [a.truceline, "simulate", "--out", folder, "--scenario", scenario, "--seed", str(seed), "--no-stream"]
        if a.hours:
            argv += ["--hours", str(a.hours)]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return folder


def score(a, folder, out, t_max=None):
    path = os.path.join(out, "score.json" if t_max is None else "score-span.json")
    argv = [a.truceline, "simulate", "score", folder, out, "--json", path]
    if os.path.exists(os.path.join(folder, "picks.csv")):
        argv.append("--seismic")
    if t_max is not None:
        argv += ["--t-max", str(t_max)]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return json.load(open(path))


def ours(a, folder, name="ours"):
    out = os.path.join(folder, name)
    os.makedirs(out, exist_ok=True)
    best = None
    for _ in range(a.repeats):
        got = run([a.engine, "associate", "--data", folder, "--out", out, "--threads", "1", *a.engine_args.split()], os.path.join(out, "log"))
        if got is None:
            sys.exit(f"the engine failed on {folder}: " + open(os.path.join(out, "log")).read()[-2000:])
        best = got if best is None or got[0] < best[0] else best
    detections = json.load(open(os.path.join(folder, "meta.json")))["n_acoustic"]
    # What wait4 gives for a child includes this interpreter before it became the child; the engine knows its own.
    rss = json.load(open(os.path.join(out, "summary.json"))).get("peak_rss_mb", best[1])
    return dict(score(a, folder, out), cpu=best[0], rss=rss, detections=detections, out=out)


def peer(a, folder, scenario, which):
    key = config_key(scenario, which)
    if key is None:
        return None
    config = json.load(open(os.path.join(HERE, "peers.json")))[key][which]["config"]
    out = os.path.join(folder, which)
    os.makedirs(out, exist_ok=True)
    span = SPANS.get(scenario)
    argv = [os.path.join(PEERS, PYTHON[which], "bin", "python"), os.path.join(HERE, "peers.py"), which, folder, out, "--config", json.dumps(config)]
    if span:
        # Picks of events in the span arrive up to two minutes after it.
        argv += ["--t-max", str(span + 120)]
    used = run(argv, os.path.join(out, "log"), a.peer_limit)
    if used is None or not os.path.exists(os.path.join(out, "summary.json")):
        return dict(failed=True, log=os.path.join(out, "log"))
    summary = json.load(open(os.path.join(out, "summary.json")))
    return dict(score(a, folder, out, span), cpu=summary["cpu_seconds"], rss=used[1], detections=summary["detections"])


def config_key(scenario, which):
    table = json.load(open(os.path.join(HERE, "peers.json")))
    scenario = os.path.splitext(os.path.basename(scenario))[0]
    if scenario.startswith("shallow"):
        scenario = "shallow-500"
    for key in (scenario, "S"):
        if which in table.get(key, {}) and (key == scenario or scenario not in ("iso", "shallow-500")):
            return key
    return None


def number(values, places=3):
    values = [v for v in values if v is not None]
    if not values:
        return "-"
    mean = statistics.mean(values)
    return f"{mean:,.0f}" if places == 0 else f"{mean:.{places}f}".lstrip("0") if abs(mean) < 1 else f"{mean:.{places}f}"


def row(name, runs, span):
    get = lambda k: [r.get(k) for r in runs]
    rate = sum(r["detections"] for r in runs) / max(sum(r["cpu"] for r in runs), 1e-9)
    rocket = [r.get("recall_by_type", {}).get("rocket") for r in runs]
    cells = [name, span, number(get("n_required"), 0), f"{rate:,.0f}", number(get("precision")), number(get("recall")), number(get("f1")),
             number(get("iou06_f1")), number(rocket, 2), number(get("loc_err_m_median"), 0), number(get("crlb_m_median"), 0),
             number(get("err_over_crlb_median"), 2), number(get("cov_coverage_90"), 2), number(get("ece_equal_mass")), number(get("brier")),
             number([max(get("rss"))], 0)]
    return "| " + " | ".join(cells) + " |"


HEAD = ["tool", "span", "required", "det/CPU s", "P", "R", "F1", "IoU F1", "rocket R", "error m", "bound m", "err/bound", "cov 90", "ECE", "Brier", "RSS MB"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--truceline", default=os.path.join(ROOT, "target", "release", "truceline"))
    p.add_argument("--engine", help="another binary for `associate` (default: the same)")
    p.add_argument("--engine-args", default="")
    p.add_argument("--scenarios", default="iso,S,no-salvo,S-fa01,S-fa10,S-e2000,S-e5000,M,L1h,sparse,rockets,hard")
    p.add_argument("--seeds", default="5001,5002,5003")
    p.add_argument("--hours", type=float)
    p.add_argument("--peers", default="")
    p.add_argument("--peer-seeds", type=int, default=1, help="peers are slow: only on so many of the seeds")
    p.add_argument("--peer-limit", type=int, default=PEER_LIMIT_S, help="CPU seconds after which a peer did not finish")
    p.add_argument("--repeats", type=int, default=1)
    p.add_argument("--install", action="store_true")
    p.add_argument("--json", help="write every figure to a file")
    a = p.parse_args()
    a.engine = a.engine or a.truceline
    os.makedirs(WORK, exist_ok=True)
    if a.install:
        for name, packages in ENVIRONMENTS.items():
            home = os.path.join(PEERS, name)
            if not os.path.exists(home):
                subprocess.run([sys.executable, "-m", "venv", home], check=True)
            subprocess.run([os.path.join(home, "bin", "pip"), "install", "-q", *packages], check=True)
    everything = {}
    for scenario in a.scenarios.split(","):
        title = os.path.splitext(os.path.basename(scenario))[0]
        print(f"\n**{title}**\n\n| " + " | ".join(HEAD) + " |\n|" + " --- |" * len(HEAD), flush=True)
        folders = [make(a, scenario, seed) for seed in a.seeds.split(",")]
        got = [ours(a, folder) for folder in folders]
        everything[title] = dict(ours=got)
        print(row("ours", got, "all"), flush=True)
        if title in PROTOTYPE:
            f1, rate = PROTOTYPE[title]
            print(f"| prototype (quoted) | all | | {rate:,} | | | {f1:.3f} |" + " |" * 9)
        for which in filter(None, a.peers.split(",")):
            span = SPANS.get(scenario)
            runs = [peer(a, folder, scenario, which) for folder in folders[: a.peer_seeds]]
            if runs[0] is None:
                continue
            if any(r.get("failed") for r in runs):
                print(f"| {which} | {span or 'all'} | | DNF in {a.peer_limit} CPU s |" + " |" * 12, flush=True)
                continue
            everything[title][which] = runs
            if span:
                same = [dict(r, **score(a, f, r["out"], span)) for f, r in zip(folders[: a.peer_seeds], got)]
                print(row("ours", same, f"{span / 3600:g} h"))
            print(row(which, runs, f"{span / 3600:g} h" if span else "all"), flush=True)
    if a.json:
        json.dump(everything, open(a.json, "w"), indent=1)


if __name__ == "__main__":
    main()
