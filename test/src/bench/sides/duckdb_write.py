"""Writes the rows of an Iceberg table to a Parquet file with DuckDB, again and again for at least three seconds.

Arguments: table, file. The rows are in DuckDB's memory before the clock starts. One thread, as our writer has.
"""

import json
import resource
import sys
import time

import duckdb
from duckdb_extensions import import_extension

for extension in ("avro", "iceberg"):
    import_extension(extension)

table, file = sys.argv[1:]
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false; LOAD avro; LOAD iceberg")
connection.execute(f"CREATE TABLE held AS SELECT * FROM iceberg_scan('{table}')")
connection.execute("SET threads = 1")
writes, seconds = 0, 0.0
began, cpu = time.perf_counter(), time.process_time()
while seconds < 3:
    connection.execute(f"COPY held TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
    writes += 1
    seconds = time.perf_counter() - began
json.dump(
    {
        "writes": writes,
        "seconds": seconds,
        "cpuSeconds": time.process_time() - cpu,
        "peakRssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    },
    sys.stdout,
)
