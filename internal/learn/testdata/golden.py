"""Writes golden.json: what scikit-learn and XGBoost say about the made-up rows of made_test.go and the models beside this file.

    go test ./internal/learn -run Golden -update   # trains and writes binary.json, regression.json, …
    python3 internal/learn/testdata/golden.py      # needs numpy, scikit-learn, xgboost

The rows are uniform numbers of SplitMix64, so that Go and Python make the same ones; no data is kept.
"""

import json
import pathlib
import warnings

import numpy as np
import sklearn
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.metrics import log_loss, mean_poisson_deviance, mean_squared_error, roc_auc_score

warnings.simplefilter("ignore")
CLASSES = ["low", "middle", "high <é>"]
HERE = pathlib.Path(__file__).parent
U64 = np.uint64


def uniform(stream, n):
    with np.errstate(over="ignore"):
        z = U64(stream) + np.arange(1, n + 1, dtype=U64) * U64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> U64(30))) * U64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> U64(27))) * U64(0x94D049BB133111EB)
        return ((z ^ (z >> U64(31))) >> U64(11)).astype(float) / 2.0**53


class Made:
    """The rows of made(n) in made_test.go."""

    def __init__(self, n):
        u = [uniform(1000 * k, n) for k in range(10)]
        self.share = u[1]
        self.hour = np.floor(u[2] * 24)
        self.level = np.floor(u[3] * u[3] * 30).astype(int)
        self.amount = np.where(u[5] < 0.1, np.nan, u[4] * 1000)
        self.flag = (u[6] < 0.5).astype(float)
        self.weight = 0.5 + u[7]
        known = np.where(np.isnan(self.amount), 0.7, np.nan_to_num(self.amount) / 2000 * np.where(self.flag == 1, 1, -1))
        f = -1.5 + 1.5 * self.share + 0.1 * np.abs(self.hour - 12) + 0.4 * (self.level % 3) + known
        self.label = (u[8] < 1 / (1 + np.exp(-f))).astype(float)
        z = f + 4 * (u[8] - 0.5)
        self.klass = (z >= 0).astype(int) + (z >= 1).astype(int)
        self.count = np.floor(3 * u[8] * np.exp(f / 2))
        self.value = 10 * f + 5 * (u[9] - 0.5)

    def design(self):
        """Columns of the glm, with names as in the test: one-hot without the first level, missing filled with the mean, an indicator."""
        out = {"share": self.share, "hour": self.hour}
        for level in range(1, 30):
            out["level = L%02d" % level] = (self.level == level).astype(float)
        self.mean = np.nanmean(self.amount)
        out["amount"] = np.where(np.isnan(self.amount), self.mean, self.amount)
        out["amount missing"] = np.isnan(self.amount).astype(float)
        out["flag"] = self.flag
        return list(out), np.column_stack(list(out.values()))


def fitted(estimator, names, x, y, weight=None):
    """Fits on standardised columns and gives coefficients on the scale of the data."""
    w = np.ones(len(y)) if weight is None else weight
    mean = np.average(x, axis=0, weights=w)
    scale = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=w))
    estimator.fit((x - mean) / scale, y, sample_weight=weight)
    if np.ndim(estimator.coef_) == 2 and len(estimator.coef_) > 1:
        out = {}
        intercepts = estimator.intercept_ - (estimator.coef_ / scale) @ mean
        intercepts -= intercepts.mean()  # what all classes share changes no score; saga leaves it where it is
        for k, name in enumerate(CLASSES):
            row = estimator.coef_[k] / scale
            out |= {name + " " + n: c for n, c in zip(names, row)}
            out[name + " intercept"] = float(intercepts[k])
        return out
    coefficients = np.ravel(estimator.coef_) / scale
    out = dict(zip(names, coefficients))
    out["intercept"] = float(np.ravel(estimator.intercept_)[0] - (coefficients * mean).sum())
    return out


def glm():
    n = 3000
    m = Made(n)
    names, x = m.design()
    logistic = dict(tol=1e-10, max_iter=100_000)
    return {
        "logistic": fitted(LogisticRegression(C=np.inf, **logistic), names, x, m.label),
        "logistic, l2 0.01": fitted(LogisticRegression(C=1 / (n * 0.01), **logistic), names, x, m.label),
        "logistic, l1 0.005": fitted(LogisticRegression(C=1 / (n * 0.005), l1_ratio=1, solver="saga", **logistic), names, x, m.label),
        "multinomial": fitted(LogisticRegression(C=np.inf, **logistic), names, x, m.klass),
        "multinomial, l2 0.01": fitted(LogisticRegression(C=1 / (n * 0.01), **logistic), names, x, m.klass),
        "multinomial, l1 0.005": fitted(LogisticRegression(C=1 / (n * 0.005), l1_ratio=1, solver="saga", **logistic), names, x, m.klass),
        "poisson": fitted(PoissonRegressor(alpha=0, solver="newton-cholesky", tol=1e-12), names, x, m.count),
        "poisson, l2 0.01": fitted(PoissonRegressor(alpha=0.01, solver="newton-cholesky", tol=1e-12), names, x, m.count),
        "linear": fitted(LinearRegression(), names, x, m.value),
        "linear, l1 0.05": fitted(Lasso(alpha=0.05, tol=1e-12, max_iter=100_000), names, x, m.value),
        "linear, l2 0.1": fitted(Ridge(alpha=n * 0.1), names, x, m.value),
        "linear, l1 0.05, l2 0.05": fitted(ElasticNet(alpha=0.1, l1_ratio=0.5, tol=1e-12, max_iter=100_000), names, x, m.value),
    }


def weighted():
    """Weights change the mean that a missing amount counts as."""
    m = Made(3000)
    names, x = m.design()
    known = ~np.isnan(m.amount)
    x[~known, names.index("amount")] = np.average(m.amount[known], weights=m.weight[known])
    return {
        "logistic, weighted": fitted(LogisticRegression(C=np.inf, tol=1e-10, max_iter=100_000), names, x, m.label, m.weight),
        "multinomial, weighted": fitted(LogisticRegression(C=np.inf, tol=1e-10, max_iter=100_000), names, x, m.klass, m.weight),
        "poisson, weighted": fitted(PoissonRegressor(alpha=0, solver="newton-cholesky", tol=1e-12), names, x, m.count, m.weight),
        "linear, weighted": fitted(LinearRegression(), names, x, m.value, m.weight),
    }


def gbdt():
    """100 rounds of 31 leaves on the first 40,000 of 60,000 rows, judged on the rest."""
    m, k = Made(60_000), 40_000
    x = np.column_stack([m.share, m.hour, m.level, m.amount, m.flag])
    options = dict(max_iter=100, early_stopping=False, categorical_features=[2])
    out = {}
    for name, w in {"binary": None, "binary, weighted": m.weight}.items():
        c = HistGradientBoostingClassifier(**options).fit(x[:k], m.label[:k], sample_weight=None if w is None else w[:k])
        p = c.predict_proba(x[k:])[:, 1]
        out[name] = {"auc": roc_auc_score(m.label[k:], p), "log_loss": log_loss(m.label[k:], p)}
    c = HistGradientBoostingClassifier(monotonic_cst=[1, 0, 0, -1, 0], **options).fit(x[:k], m.label[:k])
    p = c.predict_proba(x[k:])[:, 1]
    out["binary, monotone"] = {"auc": roc_auc_score(m.label[k:], p), "log_loss": log_loss(m.label[k:], p)}
    r = HistGradientBoostingRegressor(**options).fit(x[:k], m.value[:k])
    out["regression"] = {"rmse": mean_squared_error(m.value[k:], r.predict(x[k:])) ** 0.5}
    c = HistGradientBoostingClassifier(**options).fit(x[:k], m.klass[:k])
    out["multiclass"] = {"log_loss": log_loss(m.klass[k:], c.predict_proba(x[k:]))}
    r = HistGradientBoostingRegressor(loss="poisson", **options).fit(x[:k], m.count[:k])
    out["counts"] = {"poisson_deviance": mean_poisson_deviance(m.count[k:], r.predict(x[k:]))}
    return out


def xgb():
    """What XGBoost predicts for the first 200 rows with the models that plumb wrote, given the levels' codes."""
    m, out = Made(200), {}
    for task in ("binary", "regression", "multiclass", "counts"):
        b = xgboost.Booster(model_file=HERE / f"{task}.json")
        features = json.loads(b.attr("plumb"))["features"]
        columns = {"sha\"re\n<é>": m.share, "hour": m.hour, "level": m.level, "amount": m.amount, "flag": m.flag}
        for f in features:
            if "levels" in f:
                codes = {level: float(i) for i, level in enumerate(f["levels"])}
                unlisted = float(len(codes)) if f.get("other") else np.nan
                columns[f["name"]] = np.array([codes.get("L%02d" % level, unlisted) for level in columns[f["name"]]])
        assert b.feature_names == [f["name"] for f in features], b.feature_names
        x = np.column_stack([columns[f["name"]] for f in features]).astype(np.float32)
        # names with ] or < are refused by DMatrix, so it gets none; XGBoost reads the model's own all the same
        b.feature_names = None
        d = xgboost.DMatrix(x, feature_types=b.feature_types, enable_categorical=True)
        b.feature_types, d.feature_types = None, None
        out[task] = b.predict(d).tolist()
        gain = b.get_score(importance_type="total_gain")
        out[task + " gain"] = {k: v / sum(gain.values()) for k, v in gain.items()}
        b.save_model(HERE / f"{task}-resaved.json")
    return out


def rounded(x):
    """Twelve digits: the last ones depend on how sums are split between threads."""
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    if isinstance(x, list):
        return [rounded(v) for v in x]
    return float("%.12g" % x) if isinstance(x, float) else x


if __name__ == "__main__":
    golden = {
        "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "xgboost": xgboost.__version__},
        "glm": glm() | weighted(),
        "gbdt": gbdt(),
        "xgboost": xgb(),
    }
    (HERE / "golden.json").write_text(json.dumps(rounded(golden), indent=1) + "\n")
