"""Trains scikit-learn's learners where plumb's are trained, for internal/learn/scikit_test.go to compare.

    python scikit.py flights SAMPLE FOLDER   # logistic regression and HistGradientBoosting on the flights, the last 28 days as test
    python scikit.py folds FOLDER            # data sets that scikit-learn ships, in five folds
    python scikit.py time SAMPLE             # how long HistGradientBoosting takes

Writes rows and scores as Parquet to the folder, and prints one JSON object.
"""

import json
import pathlib
import sys
import time

import numpy as np
import pandas as pd
import sklearn
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

NUMBERS, LEVELS = ["distance", "minute", "weekday"], ["origin", "destination"]
KEPT = 40  # levels of a category that the logistic regression tells apart


def flights(sample):
    """The features of the test: numbers, and levels as codes. Late is more than 15 minutes."""
    d = pd.read_parquet(sample)
    d["minute"] = d.date.dt.hour * 60 + d.date.dt.minute
    d["weekday"] = d.date.dt.day_of_week
    d["late"] = (d.delay > 15).astype(int)
    test = d.date > d.date.max() - pd.Timedelta(days=28)
    return d[~test].reset_index(drop=True), d[test].reset_index(drop=True)


def coded(train, test):
    codes = {c: {level: i for i, level in enumerate(sorted(train[c].unique()))} for c in LEVELS}
    return [np.column_stack([d[NUMBERS].to_numpy(float)] + [d[c].map(codes[c]).to_numpy(float) for c in LEVELS]) for d in (train, test)]


def boosting(seed):
    return HistGradientBoostingClassifier(max_iter=100, early_stopping=False, categorical_features=[3, 4], random_state=seed)


def one_hot(train, test):
    """Numbers, and one column a level: the frequent ones but the first by name, the rest together, as plumb's glm does it."""
    names, columns = list(NUMBERS), [[d[c].to_numpy(float) for c in NUMBERS] for d in (train, test)]
    for c in LEVELS:
        count = train[c].value_counts()
        kept = sorted(sorted(count.index, key=lambda level: (-count[level], level))[:KEPT])
        for level in kept[1:] + [None]:
            names.append(f"{c} = {level}" if level else f"{c} other")
            for d, into in zip((train, test), columns):
                into.append((d[c] == level if level else ~d[c].isin(kept)).to_numpy(float))
    return names, [np.column_stack(c) for c in columns]


def compare_flights(sample, folder):
    train, test = flights(sample)
    x, xt = coded(train, test)
    scores = pd.DataFrame({f"gbdt{seed}": boosting(seed).fit(x, train.late).predict_proba(xt)[:, 1] for seed in range(3)})
    names, (x, xt) = one_hot(train, test)
    scale = StandardScaler().fit(x)
    glm = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=100).fit(scale.transform(x), train.late)
    scores["glm"] = glm.predict_proba(scale.transform(xt))[:, 1]
    scores.to_parquet(folder / "scores.parquet")
    coefficients = glm.coef_[0] / scale.scale_
    return {"train": len(train), "test": len(test), "intercept": float(glm.intercept_[0] - coefficients @ scale.mean_), "coefficients": dict(zip(names, coefficients))}


def folds(folder):
    """Rows with their fold (the test rows of one training of five) and what scikit-learn scores them with."""
    out = {}
    for name in ("breast_cancer", "diabetes", "digits", "wine"):
        data = getattr(datasets, "load_" + name)()
        x, y, task = data.data, data.target.astype(float), "regression" if name == "diabetes" else "multiclass" if len(data.target_names) > 2 else "binary"
        split = KFold(5, shuffle=True, random_state=0) if task == "regression" else StratifiedKFold(5, shuffle=True, random_state=0)
        columns = {"x%d" % j: x[:, j] for j in range(x.shape[1])} | {"y": y, "fold": np.zeros(len(y), int)}
        width = int(y.max()) + 1 if task == "multiclass" else 1
        scores = {learner: np.zeros((len(y), width)) for learner in ("glm", "gbdt")}
        for fold, (train, test) in enumerate(split.split(x, y)):
            columns["fold"][test] = fold
            glm = Ridge(alpha=1.0) if task == "regression" else LogisticRegression(C=1.0, tol=1e-8, max_iter=10_000)
            gbdt = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
            for learner, model in {"glm": make_pipeline(StandardScaler(), glm), "gbdt": gbdt(early_stopping=False, random_state=0)}.items():
                model.fit(x[train], y[train])
                said = model.predict(x[test]) if task == "regression" else model.predict_proba(x[test])
                scores[learner][test] = said[:, 1:] if task == "binary" else said.reshape(len(test), width)
        for learner, s in scores.items():
            columns |= {f"{learner}{k}": s[:, k] for k in range(width)}
        pd.DataFrame(columns).to_parquet(folder / f"{name}.parquet")
        out[name] = {"task": task, "features": x.shape[1], "classes": width}
    return out


def timed(sample):
    train, test = flights(sample)
    x, _ = coded(train, test)
    took = []
    for _ in range(3):
        start = time.perf_counter()
        boosting(0).fit(x, train.late)
        took.append(time.perf_counter() - start)
    return {"seconds": min(took)}


def main():
    job, *paths = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
    said = {"flights": compare_flights, "folds": folds, "time": timed}[job](*paths)
    print(json.dumps({"versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__}, "said": said}))


main()
