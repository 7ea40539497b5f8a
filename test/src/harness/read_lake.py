"""Runs one SQL statement in DuckDB with its Iceberg reader; prints {"types": {...}, "rows": [...]} with every value as text."""

import json
import sys

import duckdb
from duckdb_extensions import import_extension

for extension in ("avro", "iceberg"):
    import_extension(extension)

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
for extension in ("avro", "iceberg"):
    connection.execute(f"LOAD {extension}")

sql = sys.stdin.read().strip().rstrip(";")
try:
    described = connection.execute(f"DESCRIBE {sql}").fetchall()
    types = {name: kind for name, kind, *_ in described}
    result = connection.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({sql})")
    names = list(types)
    rows = [dict(zip(names, row)) for row in result.fetchall()]
except duckdb.Error as error:
    sys.exit(str(error))
json.dump({"types": types, "rows": rows}, sys.stdout, ensure_ascii=False)
