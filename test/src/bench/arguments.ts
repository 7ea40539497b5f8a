import { parseArgs } from 'node:util';

import type { BenchName } from './gates.ts';

export interface BenchArguments {
  readonly bench: BenchName;
  /** Null = all of the benchmark's. */
  readonly workload: string | null;
  /** Null = the workload's default, which takes each side three seconds or more. */
  readonly rows: number | null;
  readonly pairs: number;
  /** Connections of both sides into PostgreSQL. */
  readonly connections: number;
  readonly jsonFile: string | null;
}

export const workloadsOf: Readonly<Record<BenchName, readonly string[]>> = {
  decode: ['narrow', 'orders', 'wide', 'narrow-single', 'orders-single'],
  capture: ['narrow', 'orders', 'wide', 'orders-single', 'snapshot'],
  postgres: ['orders', 'narrow'],
  lake: ['orders', 'narrow'],
};

const leastPairs = 3;

export const usage = `usage: scripts/bench NAME [options]
  decode     binary log to JSON                 against zongji with JSON.stringify
  capture    MySQL to records in Kafka          against kafka-producer-perf-test; snapshot: against a mysql2 stream
  postgres   Kafka to PostgreSQL                against COPY of the same rows
  lake       Kafka to an Iceberg directory      against DuckDB writing the same rows to Parquet

  --workload W     ${Object.entries(workloadsOf)
    .map(([name, names]) => `${name}: ${names.join(', ')}`)
    .join('\n                   ')}
                   default: all, one after the other
  --rows N         rows or changes per run; the defaults take each side three seconds or more
  --pairs N        runs of each side, in turns (default and least ${leastPairs})
  --connections N  postgres: connections of both sides (default 1)
  --json FILE      one JSON object per workload and line, with every run in it`;

function count(given: string | undefined, name: string, least: number): number | null {
  if (given === undefined) return null;
  const value = Number(given);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name}: expected an integer from ${least}`);
}

function isBench(name: string): name is BenchName {
  return Object.hasOwn(workloadsOf, name);
}

/** Null when help is asked for. Throws what is wrong as one line. */
export function parseArguments(args: readonly string[]): BenchArguments | null {
  const option = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      workload: option,
      rows: option,
      pairs: option,
      connections: option,
      json: option,
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return null;
  const [bench, ...more] = positionals;
  if (bench === undefined || more.length > 0 || !isBench(bench)) {
    throw new Error(`expected one of ${Object.keys(workloadsOf).join(', ')}`);
  }
  const workload = values.workload ?? null;
  if (workload !== null && !workloadsOf[bench].includes(workload)) {
    throw new Error(`--workload: ${bench} has ${workloadsOf[bench].join(', ')}`);
  }
  return {
    bench,
    workload,
    rows: count(values.rows, 'rows', 1000),
    pairs: count(values.pairs, 'pairs', leastPairs) ?? leastPairs,
    connections: count(values.connections, 'connections', 1) ?? 1,
    jsonFile: values.json ?? null,
  };
}
