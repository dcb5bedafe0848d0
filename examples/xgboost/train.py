"""Trains boosted trees. Learning curves go to metrics.jsonl round by round: plumb shows the last line while it runs, and the curves on the run's page."""

import json
import os

import pandas as pd
import xgboost as xgb

features = json.loads(os.environ["PLUMB_FEATURES"])
params = json.loads(os.environ["PLUMB_PARAMS"])
train = pd.read_parquet(os.environ["PLUMB_TRAIN"])
valid = pd.read_parquet(os.environ["PLUMB_VALID"])
classes = sorted(train["label"].unique())  # a multiclass label is text
number = {name: i for i, name in enumerate(classes)}


class Curves(xgb.callback.TrainingCallback):
    def __init__(self, path):
        self.file = open(path, "w", buffering=1)

    def after_iteration(self, model, epoch, evals_log):
        for split, metrics in evals_log.items():
            for name, values in metrics.items():
                self.file.write(json.dumps({"step": epoch + 1, "name": name, "value": values[-1], "split": split}) + "\n")


def matrix(frame):
    return xgb.DMatrix(frame[features], label=frame["label"].map(number))


model = xgb.train(
    {"objective": "multi:softprob", "num_class": len(classes), "learning_rate": params["learning_rate"], "max_depth": params["max_depth"],
     "seed": int(os.environ["PLUMB_SEED"])},
    matrix(train),
    num_boost_round=params["rounds"],
    evals=[(matrix(train), "train"), (matrix(valid), "valid")],
    verbose_eval=False,
    callbacks=[Curves(os.environ["PLUMB_OUT"] + "/metrics.jsonl")],
)
print("valid accuracy", (model.predict(matrix(valid)).argmax(axis=1) == valid["label"].map(number)).mean())

model.save_model(os.environ["PLUMB_OUT"] + "/model/trees.json")
with open(os.environ["PLUMB_OUT"] + "/model/classes.json", "w") as file:
    json.dump(classes, file)
