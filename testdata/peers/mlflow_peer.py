"""Keeps the runs of runs.jsonl in an MLflow store, or searches them: mlflow_peer.py log|search URI runs.jsonl.

MLflow keeps parameters as text, so a filter can't compare them as numbers; the one here asks what it can.
"""
import json
import os
import sys
import time

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
start = time.time()
from mlflow.entities import Metric, Param  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

imported = time.time() - start
what, uri, path = sys.argv[1:]
client = MlflowClient(tracking_uri=uri)
if what == "log":
    experiment = client.create_experiment("runs")
    for line in open(path):
        r = json.loads(line)
        run = client.create_run(experiment, run_name=r["experiment"])
        client.log_batch(run.info.run_id, [Metric(k, v, 0, 0) for k, v in r["metrics"].items()], [Param(k, str(v)) for k, v in r["params"].items()], [])
        client.set_terminated(run.info.run_id)
else:
    experiment = client.get_experiment_by_name("runs").experiment_id
    found, token = 0, None
    while True:
        page = client.search_runs([experiment], "metrics.auc > 0.64 and attributes.run_name LIKE 'route%'", max_results=50000, page_token=token)
        found += len(page)
        token = page.token
        if not token:
            break
    print(json.dumps({"found": found, "import": imported, "all": time.time() - start}))
