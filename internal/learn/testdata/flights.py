"""Makes flights.parquet, 300,000 of the 3,000,000 rows of flights-3m.parquet in the npm package vega-datasets, in their order.

    npm pack vega-datasets@3.2.1 && tar xzf vega-datasets-3.2.1.tgz package/data/flights-3m.parquet
    pip install -r testdata/python/requirements.txt
    python flights.py package/data/flights-3m.parquet
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

table = pq.read_table(sys.argv[1])
rows = np.sort(np.random.default_rng(2001).choice(table.num_rows, 300_000, replace=False))
table = table.take(rows).sort_by([("date", "ascending")])
types = [("date", pa.timestamp("s")), ("delay", pa.int16()), ("distance", pa.int16()), ("origin", pa.string()), ("destination", pa.string())]
pq.write_table(table.cast(pa.schema(types)), pathlib.Path(__file__).parent / "flights.parquet", compression="zstd", compression_level=19,
               column_encoding={"date": "DELTA_BINARY_PACKED"}, use_dictionary=["delay", "distance", "origin", "destination"])
