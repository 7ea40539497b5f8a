import type { RenderSpec, Source, SourceEvent, SourceStream, SourceTable } from '@millrace/capture/source.ts';
import { openMysqlSource } from '@millrace/capture/mysql/mysql-source.ts';
import type { MysqlSourceOptions } from '@millrace/capture/mysql/mysql-source.ts';
import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import type { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { stackEnvironment } from '../harness/environment.ts';
import type { MysqlAddress } from '../harness/environment.ts';
import { uniqueName } from '../harness/unique-name.ts';

export interface TestSource {
  readonly source: Source;
  readonly warnings: readonly string[];
  readonly reconnects: readonly CdcError[];
}

let serverId = 70_000 + (process.pid % 1_000) * 100;

export interface SourceSettings {
  readonly address?: MysqlAddress;
  readonly pipelineName?: string;
  readonly connection?: Partial<MysqlSourceOptions['connection']>;
  readonly chunkKeyColumn?: string | null;
  readonly heartbeatPeriodMs?: number;
  readonly giveUpMs?: number;
}

/** A source over all tables of one database, under identities of its own. */
export async function openSource(
  database: string,
  signal: AbortSignal,
  settings: SourceSettings = {},
): Promise<TestSource> {
  const warnings: string[] = [];
  const reconnects: CdcError[] = [];
  const address = settings.address ?? stackEnvironment().mysqlCapture;
  serverId += 2;
  const source = await openMysqlSource(
    {
      connection: {
        ...address,
        socketPath: null,
        tls: { mode: 'preferred', ca: null, cert: null, key: null },
        allowPublicKeyRetrieval: false,
        connectTimeoutMs: 10_000,
        ...settings.connection,
      },
      connectAttempts: 1,
      declaredZone: null,
      tablesMayCome: false,
      pipelineName: settings.pipelineName ?? uniqueName('source'),
      serverIds: { first: serverId, last: serverId + 1 },
      stream: {
        heartbeatPeriodMs: settings.heartbeatPeriodMs ?? 500,
        maxEventBytes: 64 * 1024 * 1024,
        reconnect: { initialMs: 50, maxMs: 500, giveUpMs: settings.giveUpMs ?? 20_000 },
      },
      tinyint1AsBoolean: true,
      chunkKeyColumn: () => settings.chunkKeyColumn ?? null,
      chunkSilenceMs: 60_000,
      initialEpoch: 1,
    },
    (id) => id.schema === database,
    {
      onWarning: (warning) => warnings.push(warning),
      onReconnect: (error) => reconnects.push(error),
      onIgnoredEvent: () => undefined,
    },
    signal,
  );
  return { source, warnings, reconnects };
}

function renderSpec(table: SourceTable): RenderSpec {
  return {
    columns: table.schema.columns.map((column) => column.name),
    keyColumns: table.schema.primaryKey,
    keyStyle: 'json',
    keyPrefix: Buffer.from('{"t":0'),
    values: {
      timestampStandard: 'sql',
      decimals: 'scale',
      bigNumbers: 'number',
      ignoreNullFields: false,
      timeFraction: true,
      zeroDates: 'keep',
      invalidText: 'fail',
      tinyint1AsBoolean: true,
      compactJson: false,
    },
  };
}

export interface RowChange {
  readonly op: string;
  readonly table: string;
  readonly key: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly position: string;
}

/** Rows of an event or a chunk piece as JSON texts. */
export function renderRows(source: Source, event: Extract<SourceEvent, { kind: 'rows' }>): readonly RowChange[] {
  const { table } = event.rows;
  const renderer = source.compile(table, renderSpec(table), 'stream');
  renderer.open(event.rows);
  const out = new ByteWriter();
  const changes: RowChange[] = [];
  const text = (start: number, end: number): string | null =>
    start < 0 ? null : out.bytes.toString('utf8', start, end);
  for (out.clear(); renderer.next(out); out.clear()) {
    const { row } = renderer;
    changes.push({
      op: event.op,
      table: table.schema.id.table,
      key: text(row.afterKeyStart, row.afterKeyEnd) ?? text(row.beforeKeyStart, row.beforeKeyEnd) ?? '',
      before: text(row.beforeStart, row.beforeEnd),
      after: text(row.afterStart, row.afterEnd),
      position: event.position.toString('latin1'),
    });
  }
  return changes;
}

/** Every row of a table, read in chunks of `rows`, as JSON texts in chunk order. */
export async function readAllChunks(
  source: Source,
  table: SourceTable,
  rows: number,
  signal: AbortSignal,
): Promise<readonly (readonly string[])[]> {
  const chunks: (readonly string[])[] = [];
  const renderer = source.compile(table, renderSpec(table), 'snapshot');
  const out = new ByteWriter();
  for (let from = null as Awaited<ReturnType<Source['chunkEnd']>>; ;) {
    const to = await source.chunkEnd(table, from, rows, signal);
    const texts: string[] = [];
    for await (const piece of source.readChunk(table, { from, to }, signal)) {
      renderer.open(piece);
      for (out.clear(); renderer.next(out); out.clear()) {
        texts.push(out.bytes.toString('utf8', renderer.row.afterStart, renderer.row.afterEnd));
      }
    }
    chunks.push(texts);
    if (to === null) return chunks;
    from = to;
  }
}

export interface Transaction {
  readonly gtid: string;
  readonly commitTimeMicros: number;
  readonly changes: readonly RowChange[];
  readonly ddl: readonly string[];
}

/** Reads whole transactions from a stream; what a `restart` or `rollback` takes back is dropped. */
export class TransactionLog {
  readonly transactions: Transaction[] = [];
  restarts = 0;
  readonly #source: Source;
  readonly #stream: SourceStream;
  #open: { gtid: string; commitTimeMicros: number; changes: RowChange[]; ddl: string[] } | null = null;

  constructor(source: Source, stream: SourceStream) {
    this.#source = source;
    this.#stream = stream;
  }

  /** Pulls until the stream has reached what is executed at the server now. */
  async catchUp(signal: AbortSignal): Promise<void> {
    const mark = await this.#source.watermark(signal);
    while (!this.#stream.hasReached(mark)) await this.pull(signal);
  }

  async pull(signal: AbortSignal): Promise<void> {
    for (const event of await this.#stream.next(signal)) this.#take(event);
  }

  get changes(): readonly RowChange[] {
    return this.transactions.flatMap((transaction) => transaction.changes);
  }

  #take(event: SourceEvent): void {
    switch (event.kind) {
      case 'begin':
        if (this.#open !== null) throw new Error('begin inside a transaction');
        this.#open = { gtid: event.gtid, commitTimeMicros: event.commitTimeMicros, changes: [], ddl: [] };
        break;
      case 'rows':
        this.#open?.changes.push(...renderRows(this.#source, event));
        break;
      case 'schema-change':
        this.#open?.ddl.push(`${event.change} ${event.table.table}`);
        break;
      case 'commit':
        if (this.#open !== null) this.transactions.push(this.#open);
        this.#open = null;
        break;
      case 'rollback':
        this.#open = null;
        break;
      case 'restart':
        this.restarts += 1;
        this.#open = null;
        break;
      default:
        break;
    }
  }
}

/** Applies changes in order: the rows that a table must hold afterwards, as JSON texts by key. */
export function applied(changes: readonly RowChange[], table: string): readonly string[] {
  const rows = new Map<string, string>();
  for (const change of changes) {
    if (change.table !== table) continue;
    if (change.before !== null) rows.delete(keyOf(change.before));
    if (change.after !== null) rows.set(keyOf(change.after), change.after);
  }
  return [...rows.values()].sort();
}

/** Tests of this folder name their key column `id` and put it first. */
function keyOf(row: string): string {
  return /^\{"id":("[^"]*"|[^,}]*)/.exec(row)?.[1] ?? row;
}
