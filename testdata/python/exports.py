"""Scores the models of a folder with XGBoost and onnxruntime, and says how far they are from plumb.

    python exports.py FOLDER   # cases.json names what is in it; prints one JSON object

Of each case there are NAME.json (plumb's model file), NAME.onnx, rows.parquet and NAME.scores.parquet.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost

FOLDER = pathlib.Path(sys.argv[1])


def number(column):
    """A column as plumb reads it: int64 bits of dates and times, text of decimals; NaN where null or infinite."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    elif pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    elif pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    x = np.array([np.nan if v is None else float(v) for v in column.to_pylist()])
    x[np.isinf(x)] = np.nan
    return x


def by_xgboost(file, features, table):
    """What XGBoost scores, given the codes of levels; numbers beyond float32 are its largest, as plumb has them."""
    columns = []
    for f in features:
        if f["type"] == "string":
            codes = {level: i for i, level in enumerate(f["levels"])}
            unlisted = len(codes) if f.get("other") else np.nan
            columns.append([np.nan if v is None else codes.get(v, unlisted) for v in table[f["name"]].to_pylist()])
        else:
            top = np.finfo(np.float32).max
            columns.append(np.clip(number(table[f["name"]]), -top, top))
    booster = xgboost.Booster(model_file=file)
    kinds = booster.feature_types
    booster.feature_names, booster.feature_types = None, None  # DMatrix refuses names with ] or <
    x = np.column_stack(columns).astype(np.float32)
    return booster.predict(xgboost.DMatrix(x, feature_types=kinds, enable_categorical=True))


def by_onnx(file, table):
    """What onnxruntime scores, given the features as they are; each input says what a missing value is."""
    onnx.checker.check_model(onnx.load(file), full_check=True)
    session = onnxruntime.InferenceSession(file)
    given = {}
    for i in session.get_inputs():
        if i.type == "tensor(string)":
            values = table[i.name].to_pylist()
            missing = "" if "" not in values else "␀"
            given[i.name] = np.array([missing if v is None else v for v in values], dtype=object)[:, None]
        else:
            x = number(table[i.name]) if i.name != "infinite" else np.array([np.nan if v is None else v for v in table[i.name].to_pylist()])
            given[i.name] = x[:, None]
    out = session.run(["score"], given)[0]
    one = session.run(["score"], {k: v[:1] for k, v in given.items()})[0]
    assert np.array_equal(one[0], out[0]), "a row alone scores differently"
    return out


def distance(got, want):
    got = np.asarray(got, dtype=float).reshape(want.shape)
    gap = np.abs(got - want)
    return {"absolute": float(gap.max()), "relative": float((gap / np.maximum(np.abs(want), 1e-300)).max())}


def main():
    table = pq.read_table(FOLDER / "rows.parquet")
    out = {"versions": {m.__name__: m.__version__ for m in (onnx, onnxruntime, xgboost)}, "rows": table.num_rows, "cases": {}}
    for name in json.loads((FOLDER / "cases.json").read_text()):
        scores = pq.read_table(FOLDER / f"{name}.scores.parquet")
        want = np.column_stack([c.to_numpy() for c in scores.columns])
        model = json.loads((FOLDER / f"{name}.json").read_text())
        case = {"onnxruntime": distance(by_onnx(FOLDER / f"{name}.onnx", table), want)}
        if "learner" in model:
            features = json.loads(model["learner"]["attributes"]["plumb"])["features"]
            case["xgboost"] = distance(by_xgboost(FOLDER / f"{name}.json", features, table), want)
        out["cases"][name] = case
    print(json.dumps(out))


main()
