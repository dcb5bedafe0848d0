"""Makes a DVC project whose experiments are the runs of runs.jsonl: dvc_peer.py DVC DIR runs.jsonl.

An experiment is a commit under refs/exps/, as `dvc exp run` leaves it; they are written by git fast-import, because running ten thousand takes days.
"""
import json
import os
import subprocess
import sys

dvc, top, path = sys.argv[1:]
os.makedirs(top)
runs = [json.loads(line) for line in open(path)]


def git(*args, **more):
    return subprocess.run(["git", "-C", top, *args], check=True, capture_output=True, **more).stdout.decode().strip()


def files(run):
    return {"params.yaml": "".join(f"{k}: {json.dumps(v)}\n" for k, v in sorted(run["params"].items())), "metrics.json": json.dumps(run["metrics"])}


git("init", "-q", "-b", "main")
git("config", "user.name", "Ann")
git("config", "user.email", "ann@example.org")
subprocess.run([dvc, "init", "-q"], cwd=top, check=True)
subprocess.run([dvc, "config", "core.analytics", "false"], cwd=top, check=True)
with open(os.path.join(top, "dvc.yaml"), "w") as f:
    f.write("stages:\n  train:\n    cmd: python train.py\n    params: [" + ", ".join(sorted(runs[0]["params"])) + "]\n    metrics:\n    - metrics.json:\n        cache: false\n")
for name, text in files(runs[0]).items():
    with open(os.path.join(top, name), "w") as f:
        f.write(text)
git("add", "-A")
git("commit", "-q", "-m", "base")
base = git("rev-parse", "HEAD")
stream = []
for i, run in enumerate(runs):
    stream.append(f"commit refs/exps/{base[:2]}/{base[2:]}/run-{i}\ncommitter Ann <ann@example.org> {1700000000 + i} +0000\ndata 3\nexp\nfrom {base}\n")
    for name, text in files(run).items():
        stream.append(f"M 644 inline {name}\ndata {len(text.encode())}\n{text}\n")
git("fast-import", "--quiet", input="".join(stream).encode())
git("repack", "-adq")
git("pack-refs", "--all")
