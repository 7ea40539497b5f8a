import { createConnection } from 'mysql2';

import { stackEnvironment } from '../../harness/environment.ts';
import type { TableReadInput } from '../capture-input.ts';
import { startClock } from '../measure.ts';
import { answer, sideInput } from '../side-process.ts';

/** The yardstick of a snapshot: the library's row stream, arrays of exact values, dropped. */
const { database, table, rows } = await sideInput<TableReadInput>();
const connection = createConnection({
  ...stackEnvironment().mysql,
  database,
  dateStrings: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  jsonStrings: true,
});
const connected = Promise.withResolvers<void>();
connection.once('connect', () => {
  connected.resolve();
});
connection.once('error', connected.reject);
await connected.promise;
const ended = Promise.withResolvers<void>();
let read = 0;
let columns = 0;
const stop = startClock();
connection
  .query({ sql: `SELECT * FROM ${table}`, rowsAsArray: true })
  .on('result', (row: unknown) => {
    read += 1;
    if (Array.isArray(row)) columns = row.length;
  })
  .on('error', (error: Error) => {
    ended.reject(error);
  })
  .on('end', () => {
    ended.resolve();
  });
await ended.promise;
const measured = stop();
if (read !== rows || columns < 2) throw new Error(`${read} of ${rows} rows were read`);
answer({ ...measured, rows: read });
