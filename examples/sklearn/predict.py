"""Scores rows: python predict.py ROWS SCORES MODEL."""

import json
import os
import sys

import joblib
import pandas as pd

rows, scores, folder = sys.argv[1:]
frame = pd.read_parquet(rows)
model = joblib.load(folder + "/model.joblib")
frame["score"] = model.predict_proba(frame[json.loads(os.environ["PLUMB_FEATURES"])])[:, 1]
frame[["row_id", "score"]].to_parquet(scores)
