"""Answers one JSON request per line with what DuckDB and PyIceberg read from an Iceberg table, every value as text."""

import json
import sys

import duckdb
from duckdb_extensions import import_extension
from pyiceberg.table import StaticTable

for extension in ("avro", "iceberg"):
    import_extension(extension)

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
for extension in ("avro", "iceberg"):
    connection.execute(f"LOAD {extension}")


def texts(relation, order):
    ordering = f" ORDER BY {order}" if order else ""
    result = connection.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (SELECT * FROM {relation}{ordering})")
    names = [column[0] for column in result.description]
    return [dict(zip(names, row)) for row in result.fetchall()]


def read(request):
    directory = request["table"]
    order = request.get("order")
    answers = {}
    if "duckdb" in request["engines"]:
        answers["duckdb"] = texts(f"iceberg_scan('{directory}')", order)
    if "pyiceberg" in request["engines"]:
        arrow = StaticTable.from_metadata(directory).scan().to_arrow()
        connection.register("scanned", arrow)
        answers["pyiceberg"] = texts("scanned", order)
        connection.unregister("scanned")
    return answers


for line in sys.stdin:
    try:
        answer = read(json.loads(line))
    except Exception as error:  # the caller decides what a failed read means
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer, ensure_ascii=False), flush=True)
