import type { Socket } from 'node:net';

import { delay } from '@millrace/shared/async/delay.ts';
import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';
import type { ResumePoint } from '@millrace/shared/event/position.ts';
import { sameTable } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type {
  ChunkBound,
  ChunkRange,
  RenderSpec,
  RowBatch,
  RowRenderer,
  Source,
  SourceBacklog,
  SourceStream,
  SourceTable,
  StartPoint,
  Watermark,
} from '../source.ts';
import { replicaUuidOf } from './binlog/dump.ts';
import { Catalogue } from './catalogue.ts';
import { checkServer, throwIfNotReady } from './check.ts';
import { Chunks } from './chunks/chunks.ts';
import type { MysqlTable } from './column.ts';
import { SharedSession } from './connection.ts';
import type { MysqlConnectionOptions, SqlSession } from './connection.ts';
import { GtidSet } from './gtid-set.ts';
import { LogEpoch } from './log-epoch.ts';
import { openSession } from './open-sessions.ts';
import { logFileNumber, momentToken } from './position-token.ts';
import { refusalOf } from './refused-rows.ts';
import { compileRenderer } from './render/compile.ts';
import { formatResumePoint, parseResumePoint } from './resume-point.ts';
import { readLogFiles, readLogStatus, readServerFacts, replicasStatement } from './server-facts.ts';
import type { ServerFacts } from './server-facts.ts';
import { readClockOffset, zoneWarning } from './source-clock.ts';
import { LogScan } from './stream/log-scan.ts';
import { MysqlStream } from './stream/mysql-stream.ts';
import type { StreamOptions } from './stream/mysql-stream.ts';
import { resolveStartPoint } from './stream/start-point.ts';
import { TableVersions } from './table-versions.ts';

export interface MysqlSourceOptions {
  readonly connection: MysqlConnectionOptions;
  /** Attempts per connect. */
  readonly connectAttempts: number;
  /** Zone that the document declares for the server; compared with the server's for a warning. */
  readonly declaredZone: string | null;
  /** Tables that match may come later: none now is no reason to refuse. */
  readonly tablesMayCome: boolean;
  /** Its replica identity at the server: a second capture of the same name ends the first (`SOURCE_FENCED`). */
  readonly pipelineName: string;
  /** Inclusive. */
  readonly serverIds: { readonly first: number; readonly last: number };
  readonly stream: StreamOptions;
  readonly tinyint1AsBoolean: boolean;
  readonly chunkKeyColumn: (id: TableId) => string | null;
  /** Longest wait for a row of a chunk. */
  readonly chunkSilenceMs: number;
  /** Epoch of position tokens without a resume point; raised when a checkpoint was thrown away. */
  readonly initialEpoch: number;
}

export interface MysqlSourceEvents {
  readonly onWarning: (warning: string) => void;
  readonly onReconnect: (error: CdcError, attempt: number) => void;
  /** An event kind that newer servers write and that may be ignored. */
  readonly onIgnoredEvent: (type: number) => void;
}

/** `ignoreCase`: the server compares names without case (`lower_case_table_names` ≠ 0). */
export type Captures = (id: TableId, ignoreCase: boolean) => boolean;

/**
 * Without GTIDs nothing says when a logged transaction becomes visible: the log position is taken, then this long is
 * waited, many times what a commit takes between log and engine (T100).
 */
const settleMs = 1_000;

/** Opens a MySQL source: one session for queries now, others as they are needed. */
export async function openMysqlSource(
  options: MysqlSourceOptions,
  captures: Captures,
  events: MysqlSourceEvents,
  signal: AbortSignal,
): Promise<Source> {
  const connect = (until: AbortSignal): Promise<SqlSession> =>
    openSession(options.connection, options.connectAttempts, until, events.onWarning);
  const control = new SharedSession(connect);
  try {
    const facts = await readServerFacts(control.query.bind(control), signal);
    return new MysqlSource(options, captures, events, connect, control, facts);
  } catch (error) {
    await control[Symbol.asyncDispose]();
    throw error;
  }
}

class MysqlSource implements Source {
  readonly #options: MysqlSourceOptions;
  readonly #captures: (id: TableId) => boolean;
  readonly #events: MysqlSourceEvents;
  readonly #connect: (signal: AbortSignal) => Promise<SqlSession>;
  readonly #control: SharedSession;
  readonly #facts: ServerFacts;
  readonly #catalogue: Catalogue;
  readonly #versions: TableVersions;
  readonly #epoch: LogEpoch;
  readonly #chunks: Chunks;
  #stream: MysqlStream | null = null;

  constructor(
    options: MysqlSourceOptions,
    captures: Captures,
    events: MysqlSourceEvents,
    connect: (signal: AbortSignal) => Promise<SqlSession>,
    control: SharedSession,
    facts: ServerFacts,
  ) {
    this.#options = options;
    this.#events = events;
    this.#connect = connect;
    this.#control = control;
    this.#facts = facts;
    const ignoreCase = facts.lowerCaseTableNames !== 0;
    this.#captures = (id) => captures(id, ignoreCase);
    this.#catalogue = new Catalogue(this.#query);
    this.#versions = new TableVersions({ tinyint1AsBoolean: options.tinyint1AsBoolean });
    this.#epoch = new LogEpoch(options.initialEpoch);
    const socket = async (signal: AbortSignal): Promise<Socket> => (await connect(signal)).takeOver();
    this.#chunks = new Chunks(this.#query, socket, {
      chunkKeyColumn: options.chunkKeyColumn,
      maxRowBytes: options.stream.maxEventBytes,
      silenceMs: options.chunkSilenceMs,
    });
  }

  readonly #query: SharedSession['read'] = (sql, signal, doing) => this.#control.read(sql, signal, doing);

  async check(signal: AbortSignal): Promise<readonly string[]> {
    const { connection, declaredZone, serverIds, chunkKeyColumn } = this.#options;
    // Grants on *.* reach a session only when it logs in.
    this.#control.renew();
    const result = await checkServer(
      this.#query,
      this.#catalogue,
      { user: connection.user, serverIds, chunkKeyColumn, captures: this.#captures },
      signal,
    );
    const { tablesMayCome } = this.#options;
    throwIfNotReady(result.problems.filter(({ kind }) => !tablesMayCome || kind !== 'no-table-matched'));
    const zone = declaredZone === null ? null : await zoneWarning(this.#query, declaredZone, signal);
    return zone === null ? result.warnings : [...result.warnings, zone];
  }

  async tables(signal: AbortSignal): Promise<readonly SourceTable[]> {
    const ids = (await this.#catalogue.names(signal)).filter(this.#captures);
    const loaded = await this.#catalogue.load(ids, signal);
    const readMicros = await this.#serverMicros(signal);
    return loaded.map((table) => {
      this.#versions.adopt(table.id, table, readMicros);
      return this.#versions.fromCatalogue(table);
    });
  }

  async resolveStart(start: StartPoint, signal: AbortSignal): Promise<ResumePoint> {
    const facts = await readServerFacts(this.#query, signal);
    const scan = new LogScan({
      connect: this.#connect,
      serverId: this.#options.serverIds.first,
      maxEventBytes: this.#options.stream.maxEventBytes,
    });
    const parts = { query: this.#query, facts, epoch: this.#epoch.current, scan };
    return formatResumePoint(await resolveStartPoint(start, parts, signal));
  }

  async stream(after: ResumePoint, signal: AbortSignal): Promise<SourceStream> {
    const resume = parseResumePoint(after);
    this.#epoch.resume(resume.epoch, resume.serverUuid, resume.file);
    const { pipelineName, stream: options } = this.#options;
    const replicaUuid = replicaUuidOf(pipelineName);
    this.#stream = await MysqlStream.open(
      {
        resume,
        options,
        connect: this.#connect,
        identity: async (session, until) => ({
          serverId: await this.#freeServerId(session, replicaUuid, until),
          replicaUuid,
        }),
        versions: this.#versions,
        loadTable: (id, until) => this.#loadTable(id, until),
        epoch: this.#epoch,
        captures: this.#captures,
        normalise: (id) => this.#normalise(id),
        onReconnect: this.#events.onReconnect,
        onIgnoredEvent: this.#events.onIgnoredEvent,
      },
      signal,
    );
    return this.#stream;
  }

  async watermark(signal: AbortSignal): Promise<Watermark> {
    const { version, gtids } = this.#facts;
    // Asked anew: the session may have been opened again, to another server behind the same name.
    const [server] = await this.#query('SELECT @@server_uuid AS uuid', signal, 'reading the server identity');
    const serverUuid = server?.['uuid'] ?? '';
    const status = await readLogStatus(this.#query, version, signal);
    if (!gtids) await delay(settleMs, signal);
    const epoch = this.#epoch.observe(serverUuid, status.file);
    const resume = formatResumePoint({
      serverUuid,
      gtidSet: gtids ? GtidSet.parse(status.executed).toString() : null,
      file: status.file,
      position: status.position,
      epoch,
      notBeforeMicros: 0,
      skipEvents: 0,
      skipRows: 0,
      xaPrepared: [],
    });
    return { resume, position: momentToken(epoch, status.file, status.position) };
  }

  estimateRows(table: SourceTable, signal: AbortSignal): Promise<number> {
    return this.#chunks.estimateRows(mysqlTable(table), signal);
  }

  chunkEnd(table: SourceTable, from: ChunkBound | null, rows: number, signal: AbortSignal): Promise<ChunkBound | null> {
    return this.#chunks.chunkEnd(mysqlTable(table), from, rows, signal);
  }

  readChunk(table: SourceTable, range: ChunkRange, signal: AbortSignal): AsyncIterable<RowBatch> {
    return this.#chunks.readChunk(mysqlTable(table), range, signal);
  }

  compile(table: SourceTable, spec: RenderSpec, from: 'stream' | 'snapshot'): RowRenderer {
    const renderer = compileRenderer(mysqlTable(table), spec, from);
    if (from === 'snapshot') return renderer;
    return {
      row: renderer.row,
      open: (batch) => {
        const refusal = refusalOf(batch);
        if (refusal !== undefined) throw refusal;
        renderer.open(batch);
      },
      next: (out) => renderer.next(out),
      get replacedTexts() {
        return renderer.replacedTexts;
      },
    };
  }

  /** The server keeps its log by its own settings; nobody tells it what was read. */
  confirm(_resume: ResumePoint): void {}

  async backlog(signal: AbortSignal): Promise<SourceBacklog> {
    const at = this.#stream?.position;
    const clockOffsetMs = await readClockOffset(this.#query, signal);
    if (at === undefined) return { bytes: null, position: 'not started', clockOffsetMs };
    const files = await readLogFiles(this.#query, signal);
    const number = logFileNumber(at.file);
    const ahead = files.filter(({ name }) => logFileNumber(name) >= number);
    const bytes = ahead.reduce((sum, file) => sum + file.bytes, 0);
    const own = ahead[0]?.name === at.file ? at.position : 0;
    return { bytes: Math.max(0, bytes - own), position: `${at.file}:${at.position}`, clockOffsetMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream?.[Symbol.asyncDispose]();
    await this.#chunks[Symbol.asyncDispose]();
    await this.#control[Symbol.asyncDispose]();
  }

  #normalise(id: TableId): TableId {
    if (this.#facts.lowerCaseTableNames !== 1) return id;
    return { namespace: '', schema: id.schema.toLowerCase(), table: id.table.toLowerCase() };
  }

  async #loadTable(id: TableId, signal: AbortSignal): Promise<void> {
    const loaded = await this.#catalogue.load([id], signal);
    const readMicros = await this.#serverMicros(signal);
    this.#versions.adopt(id, loaded.find((table) => sameTable(table.id, id)) ?? null, readMicros);
  }

  async #serverMicros(signal: AbortSignal): Promise<number> {
    const [row] = await this.#query('SELECT UNIX_TIMESTAMP(NOW(6)) AS now', signal, 'reading the clock');
    return Number(row?.['now'] ?? 0) * 1_000_000;
  }

  /** The first id of the range that no other replica is registered with. */
  async #freeServerId(session: SqlSession, replicaUuid: string, signal: AbortSignal): Promise<number> {
    const { first, last } = this.#options.serverIds;
    const rows = await session.query(replicasStatement(session.serverVersion), signal, 'listing replicas');
    const taken = new Set<number>([0, this.#facts.serverId]);
    for (const row of rows) {
      const uuid = row['Replica_UUID'] ?? row['Slave_UUID'] ?? '';
      if (uuid !== replicaUuid) taken.add(Number(row['Server_Id'] ?? row['Server_id'] ?? 0));
    }
    for (let id = first; id <= last; id++) if (!taken.has(id)) return id;
    throw new CdcError('SOURCE_NOT_READY', 'every server id of the range is in use', {
      details: { range: `${first}-${last}` },
      hint: 'Choose a `server-id` range that no replica or other pipeline uses.',
    });
  }
}

function mysqlTable(table: SourceTable): MysqlTable {
  if (!('columns' in table)) throw invariantBroken('a table of another source');
  return table as MysqlTable;
}
