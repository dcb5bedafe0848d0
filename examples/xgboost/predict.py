"""Scores rows with a column for each class: python predict.py ROWS SCORES MODEL."""

import json
import os
import sys

import pandas as pd
import xgboost as xgb

rows, scores, folder = sys.argv[1:]
frame = pd.read_parquet(rows)
model = xgb.Booster(model_file=folder + "/trees.json")
with open(folder + "/classes.json") as file:
    classes = json.load(file)
answers = model.predict(xgb.DMatrix(frame[json.loads(os.environ["PLUMB_FEATURES"])]))
out = pd.DataFrame(answers, columns=["score_" + name for name in classes])
out.insert(0, "row_id", frame["row_id"])
out.to_parquet(scores)
