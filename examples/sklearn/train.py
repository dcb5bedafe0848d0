"""Trains the pipeline of experiments/pipeline.toml. plumb computes every metric; what this prints is kept as the run's log."""

import json
import os

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

features = json.loads(os.environ["PLUMB_FEATURES"])
params = json.loads(os.environ["PLUMB_PARAMS"])
train = pd.read_parquet(os.environ["PLUMB_TRAIN"])
valid = pd.read_parquet(os.environ["PLUMB_VALID"])

model = make_pipeline(StandardScaler(), LogisticRegression(C=params["C"], random_state=int(os.environ["PLUMB_SEED"])))
model.fit(train[features], train["label"])
print("valid auc", roc_auc_score(valid["label"], model.predict_proba(valid[features])[:, 1]))

joblib.dump(model, os.environ["PLUMB_OUT"] + "/model/model.joblib")
