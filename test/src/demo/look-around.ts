import { chmodSync, writeFileSync } from 'node:fs';

import { stackEnvironment } from '../harness/environment.ts';
import type { DemoProgram } from './program.ts';

function writeTool(path: string, text: string): string {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

/** Small commands beside the demo's files, so that the lines to paste stay short. */
function writeTools(folder: string, database: string): { readonly lake: string; readonly topic: string } {
  const { readersPython, kafkaRunClass, kafkaBootstrapServers } = stackEnvironment();
  const lake = writeTool(
    `${folder}/lake-sql`,
    `#!${readersPython ?? '/usr/bin/env python3'}
# DuckDB on the lake: one view per table of the shop.
import glob, os, sys
import duckdb
from duckdb_extensions import import_extension
for name in ("avro", "iceberg"):
    import_extension(name)
connection = duckdb.connect()
connection.execute("LOAD avro; LOAD iceberg; SET TimeZone = 'UTC'")
for table in glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "lake", "${database}", "*")):
    connection.execute(f"CREATE VIEW {os.path.basename(table)} AS SELECT * FROM iceberg_scan('{table}')")
print(connection.sql(" ".join(sys.argv[1:])))
`,
  );
  const consumer = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
  const topic = writeTool(
    `${folder}/topic`,
    `#!/bin/sh
# The first records of a topic, by Kafka's own consumer:  topic NAME [COUNT]
exec ${kafkaRunClass.join(' ')} ${consumer} --bootstrap-server ${kafkaBootstrapServers} --from-beginning --property print.key=true --topic "$1" --max-messages "\${2:-3}"
`,
  );
  return { lake, topic };
}

/** What to type next. */
export function lookAroundLines(programs: readonly DemoProgram[], folder: string, database: string): string[] {
  const tools = writeTools(folder, database);
  const sql = 'SELECT status, count(*), sum(total) FROM';
  return [
    '',
    'Look around:',
    `  PostgreSQL        psql '${stackEnvironment().postgresUrl}' -c '${sql} ${database}.orders GROUP BY 1'`,
    `  the lake          ${tools.lake} '${sql} orders GROUP BY 1'`,
    `  a topic           ${tools.topic} ${database}.orders`,
    ...programs.map((program) => `  ${program.label.padEnd(17)} ${program.url}/   log ${program.logFile}`),
    '',
  ];
}
