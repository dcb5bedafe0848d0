"""Makes data/flights/*.parquet from flights-3m.parquet of the npm package vega-datasets.

    npm pack vega-datasets@3.2.1 && tar xzf vega-datasets-3.2.1.tgz package/data/flights-3m.parquet
    pip install duckdb==1.5.6
    python make.py package/data/flights-3m.parquet

Whole airport-days are taken, never single rows, so that a window over an airport's last hours sees the traffic that it really had: of every
second airport from the 14th to the 40th by departures, the days whose hash falls into one of three. Days are drawn by airport, so that every day
of the half-year is there at some of them.
"""

import pathlib
import sys

import duckdb

AIRPORTS = "SFO PHL PIT SEA DCA MIA SJC CVG OAK HOU BNA PDX IAD MDW".split()
ONE_IN = 3

source = sys.argv[1]
out = pathlib.Path(__file__).parent / "data" / "flights"
out.mkdir(parents=True, exist_ok=True)
db = duckdb.connect()
db.execute("set threads = 1")  # the bytes of a file depend on the number of threads
db.execute(
    f"""
    create table flights as
    select date, delay::smallint as delay, distance::smallint as distance, origin, destination
    from read_parquet('{source}')
    where origin in ({",".join(f"'{a}'" for a in AIRPORTS)}) and date < timestamp '2001-07-01'
      and ('0x' || substr(sha256(origin || ' ' || strftime(date, '%Y-%m-%d')), 1, 16))::ubigint % {ONE_IN} = 0
    """
)
for month in range(1, 7):
    db.execute(
        f"""
        copy (select * from flights where month(date) = {month} order by date, origin, destination, distance, delay)
        to '{out}/2001-{month:02}.parquet' (format parquet, compression zstd, compression_level 19)
        """
    )
