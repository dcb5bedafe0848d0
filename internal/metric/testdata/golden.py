"""Makes golden.json: metrics of scikit-learn and SciPy that this package must reproduce.

    python3 golden.py > golden.json

Where neither has the metric (ece, lift_10, smape, and ks_score with weights) it is written out here the long way, row by row.
"""

import json
import sys
import warnings

import numpy as np
import scipy
import sklearn
from scipy.stats import ks_2samp
from sklearn import metrics as sk

warnings.simplefilter("ignore")
rng = np.random.default_rng(20010630)


def ece(y, s, w):
    order = np.argsort(s, kind="stable")
    y, s = y[order], s[order]
    size, total = len(y) // 10, 0.0
    for b in range(10):
        rows = slice(b * size, (b + 1) * size if b < 9 else len(y))
        total += abs(np.sum(y[rows]) - np.sum(s[rows]))
    return total / len(y)


def lift(y, s, w):
    order = np.argsort(-s, kind="stable")
    left, hits = w.sum() / 10, 0.0
    for i in order:
        take = min(w[i], left)
        hits, left = hits + take * y[i], left - take
    return (hits / (w.sum() / 10)) / (np.sum(w * y) / w.sum())


def ks(y, s, w):
    gaps = []
    for cut in np.unique(s):
        share = [np.sum(w[(s <= cut) & (y == c)]) / np.sum(w[y == c]) for c in (0, 1)]
        gaps.append(abs(share[0] - share[1]))
    if np.all(w == 1):
        assert abs(max(gaps) - ks_2samp(s[y == 1], s[y == 0]).statistic) < 1e-12
    return max(gaps)


def binary(name, y, s, threshold, weight=None):
    w = np.ones(len(y)) if weight is None else weight
    yes, kw = (s >= threshold).astype(int), {"sample_weight": weight}
    tied = len(np.unique(s)) < len(s)
    want = {
        "auc": sk.roc_auc_score(y, s, **kw),
        "average_precision": sk.average_precision_score(y, s, **kw),
        "log_loss": sk.log_loss(y, s, **kw),
        "brier": sk.brier_score_loss(y, s, **kw),
        "accuracy": sk.accuracy_score(y, yes, **kw),
        "balanced_accuracy": sk.balanced_accuracy_score(y, yes, **kw),
        "f1": sk.f1_score(y, yes, **kw),
        "recall": sk.recall_score(y, yes, **kw),
        "specificity": sk.recall_score(y, yes, pos_label=0, **kw),
        "ks_score": ks(y, s, w),
    }
    if yes.any():
        want["precision"] = sk.precision_score(y, yes, **kw)
        want["mcc"] = sk.matthews_corrcoef(y, yes, **kw)
    if not tied:
        want["lift_10"] = lift(y, s, w)
    if not tied and weight is None:
        want["ece"] = ece(y, s, w)
    return case(name, "binary", y, [s], weight, threshold, want)


def multiclass(name, y, p, weight=None):
    said, kw = p.argmax(axis=1), {"sample_weight": weight}
    want = {
        "accuracy": sk.accuracy_score(y, said, **kw),
        "balanced_accuracy": sk.balanced_accuracy_score(y, said, **kw),
        "macro_f1": sk.f1_score(y, said, average="macro", **kw),
        "weighted_f1": sk.f1_score(y, said, average="weighted", **kw),
        "log_loss": sk.log_loss(y, p, labels=range(p.shape[1]), **kw),
    }
    if len(np.unique(y)) == p.shape[1]:
        want["macro_auc_ovr"] = sk.roc_auc_score(y, p, multi_class="ovr", average="macro", **kw)
    classes, made = range(p.shape[1]), case(name, "multiclass", y, list(p.T), weight, 0, want)
    each = sk.precision_recall_fscore_support(y, said, labels=classes, zero_division=np.nan, **kw)
    made["classes"] = [[none_or(v) for v in row[:3]] + [none_or(auc(y == c, p[:, c], kw))] for c, row in zip(classes, zip(*each))]
    right, confidence = (said == y).astype(int), p.max(axis=1)
    if weight is None:  # of whether the answer is right, over the score of the answered class
        made["confidence_ece"] = float(ece(right, confidence, None))
    return made


def auc(y, s, kw):
    return sk.roc_auc_score(y, s, **kw) if len(np.unique(y)) == 2 else np.nan


def none_or(v):
    return None if np.isnan(v) else float(v)


def regression(name, y, s, weight=None):
    kw, w = {"sample_weight": weight}, np.ones(len(y)) if weight is None else weight
    seen, size = y != 0, np.abs(y) + np.abs(s)
    wide = np.where(size > 0, 2 * np.abs(y - s) / np.where(size > 0, size, 1), 0)
    want = {
        "rmse": sk.root_mean_squared_error(y, s, **kw),
        "mae": sk.mean_absolute_error(y, s, **kw),
        "medae": sk.median_absolute_error(y, s, **kw),
        "mape": sk.mean_absolute_percentage_error(y[seen], s[seen], sample_weight=None if weight is None else weight[seen]),
        "smape": np.average(wide, weights=w),
        "r2": sk.r2_score(y, s, **kw),
        "bias": np.average(s - y, weights=w),
    }
    return case(name, "regression", y, [s], weight, 0, want)


def case(name, task, y, scores, weight, threshold, want):
    return {
        "name": name,
        "task": task,
        "label": np.asarray(y, float).tolist(),
        "scores": [np.asarray(s, float).tolist() for s in scores],
        "weight": None if weight is None else weight.tolist(),
        "threshold": threshold,
        "want": {k: float(v) for k, v in want.items()},
    }


def some(n, rate):
    y = (rng.random(n) < rate).astype(int)
    y[:2] = (0, 1)
    return y, 1 / (1 + np.exp(-(rng.normal(size=n) + 1.3 * y - 0.8)))


cases = []
y, s = some(300, 0.4)
cases.append(binary("plain", y, s, 0.5))
cases.append(binary("weighted", y, s, 0.35, np.round(rng.gamma(2, 1, 300), 3)))
y, s = some(207, 0.2)
cases.append(binary("no multiple of ten", y, s, 0.4))
cases.append(binary("ties", y, np.round(s, 1), 0.3))
cases.append(binary("weighted ties", y, np.round(s, 1), 0.3, rng.integers(0, 4, 207).astype(float)))
cases.append(binary("never yes", y, s, 2))
y, s = some(60, 0.5)
s[2], s[3], y[2], y[3] = 0, 1, 1, 0  # certain and wrong: log_loss is clipped
cases.append(binary("certain and wrong", y, s, 0.5))

y = rng.integers(0, 4, 250)
p = rng.dirichlet(np.ones(4), 250) + 0.5 * np.eye(4)[y]
p /= p.sum(axis=1, keepdims=True)
cases.append(multiclass("four classes", y, p))
cases.append(multiclass("four classes weighted", y, p, np.round(rng.gamma(2, 1, 250), 3)))
rare = np.where(y == 3, 0, y)
cases.append(multiclass("a class without rows", rare, p))

y = np.round(rng.normal(10, 30, 151), 1)
y[:3] = 0
s = y + rng.normal(2, 8, 151)
s[0] = 0
cases.append(regression("plain", y, s))
cases.append(regression("weighted", y, s, rng.integers(0, 3, 151).astype(float)))
cases.append(regression("even", y[:150], s[:150]))
cases.append(regression("far from zero", y + 1e9, s + 1e9))

made = f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, numpy {np.__version__}"
json.dump({"made_with": made, "cases": cases}, sys.stdout)
print()
