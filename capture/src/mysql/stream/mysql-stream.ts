import { backoffMs, delay } from '@millrace/shared/async/delay.ts';
import { CdcError, toCdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { ResumePoint } from '@millrace/shared/event/position.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { Delivered, SourceEvent, SourceStream, Watermark } from '../../source.ts';
import { dumpError } from '../binlog/dump.ts';
import type { DumpIdentity } from '../binlog/dump.ts';
import type { PacketReader } from '../binlog/frames.ts';
import type { SqlSession } from '../connection.ts';
import { GtidSet } from '../gtid-set.ts';
import type { LogEpoch } from '../log-epoch.ts';
import { logCorrupt } from '../log-corrupt.ts';
import { logFileNumber } from '../position-token.ts';
import { parseResumePoint } from '../resume-point.ts';
import type { MysqlResume } from '../resume-point.ts';
import type { TableVersions } from '../table-versions.ts';
import { startDump } from './dump-connection.ts';
import { LogProgress } from './log-progress.ts';
import { LogReader } from './log-reader.ts';
import { BehindError, verifyStart } from './session-start.ts';

export interface StreamOptions {
  readonly heartbeatPeriodMs: number;
  /** Longest single event, in bytes; bounds memory. */
  readonly maxEventBytes: number;
  readonly reconnect: {
    readonly initialMs: number;
    readonly maxMs: number;
    /** Without a connection for so long, the stream gives up with `SOURCE_CONNECTION_LOST`. */
    readonly giveUpMs: number;
  };
}

export interface StreamParts {
  readonly resume: MysqlResume;
  readonly options: StreamOptions;
  readonly connect: (signal: AbortSignal) => Promise<SqlSession>;
  /** A free server id of the range. */
  readonly identity: (session: SqlSession, signal: AbortSignal) => Promise<DumpIdentity>;
  readonly versions: TableVersions;
  /** Reads the catalogue of one table into `versions`. */
  readonly loadTable: (id: TableId, signal: AbortSignal) => Promise<void>;
  readonly epoch: LogEpoch;
  readonly captures: (id: TableId) => boolean;
  readonly normalise: (id: TableId) => TableId;
  readonly onReconnect: (error: CdcError, attempt: number) => void;
  readonly onIgnoredEvent: (type: number) => void;
}

/** A peer that is silent for so many heartbeat periods is dead (T115). */
const silentPeriods = 3;
/** A server may show a transaction in the log before it shows it as executed: for so long that is no fault. */
const primaryGraceMs = 10_000;
const replicaGraceMs = 300_000;
/** Asking for a table's catalogue more often than this for one event would be a loop. */
const maxLoads = 4;

interface Dump {
  readonly packets: PacketReader;
  readonly log: LogReader;
}

/**
 * The stream of one source. After a lost connection it goes on from the last transaction boundary, by itself; what was
 * delivered of an open transaction is taken back with a `restart`.
 */
export class MysqlStream implements SourceStream {
  readonly #parts: StreamParts;
  readonly #progress: LogProgress;
  readonly #marks = new WeakMap<Watermark, { readonly resume: MysqlResume; readonly set: GtidSet | null }>();
  #dump: Dump | null = null;
  #failure: CdcError | null = null;
  #clockOffsetMicros = 0;

  private constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#progress = new LogProgress(parts.resume);
  }

  /** Connects once: what cannot start is thrown here. */
  static async open(parts: StreamParts, signal: AbortSignal): Promise<MysqlStream> {
    const stream = new MysqlStream(parts);
    await stream.#connect(signal);
    return stream;
  }

  async next(signal: AbortSignal): Promise<readonly SourceEvent[]> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#failure !== null) {
        const restart = this.#recover(this.#failure);
        if (restart !== null) return restart;
      }
      if (this.#dump === null) await this.#connect(signal);
      const events = await this.#pull(signal);
      if (events.length > 0) return events;
    }
  }

  resumePoint(): ResumePoint {
    return this.#progress.resumePoint();
  }

  hasReached(mark: Watermark): boolean {
    const { resume, set } = this.#parsed(mark);
    if (this.#progress.executed !== null && set !== null) return this.#progress.executed.containsSet(set);
    return comparePositions(this.#progress, resume) >= 0;
  }

  delivered(): Delivered {
    const { epoch, file, position } = this.#progress;
    const log = this.#dump?.log;
    const executed = this.#progress.executed?.clone() ?? null;
    const open = log?.openGtid ?? null;
    if (open !== null) executed?.add(open.source, open.number);
    const read = log?.inTransaction === true ? log.position : { file, position };
    return {
      isWithin: (mark) => {
        const { resume, set } = this.#parsed(mark);
        if (executed !== null && set !== null) return set.containsSet(executed);
        return comparePositions({ ...read, epoch }, resume) <= 0;
      },
    };
  }

  /** Where the stream stands in the log, for people. */
  get position(): { readonly file: string; readonly position: number } {
    return { file: this.#progress.file, position: this.#progress.position };
  }

  /** When the last byte came from the server. */
  get lastByteAtMs(): number | null {
    return this.#dump?.packets.lastByteAtMs ?? null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    return Promise.resolve();
  }

  #parsed(mark: Watermark): { readonly resume: MysqlResume; readonly set: GtidSet | null } {
    let parsed = this.#marks.get(mark);
    if (parsed === undefined) {
      const resume = parseResumePoint(mark.resume);
      parsed = { resume, set: resume.gtidSet === null ? null : GtidSet.parse(resume.gtidSet) };
      this.#marks.set(mark, parsed);
    }
    return parsed;
  }

  /** Events of what has arrived; a failure behind them waits for the next call. */
  async #pull(signal: AbortSignal): Promise<readonly SourceEvent[]> {
    const dump = this.#dump as Dump;
    const { packets, log } = dump;
    log.tokens.reuseAll();
    log.events = [];
    try {
      await packets.fill(signal);
      while (packets.next()) {
        let missing = this.#packet(packets, log);
        for (let loads = 0; missing !== null; loads++) {
          if (loads === maxLoads) throw logCorrupt('a table cannot be resolved');
          await this.#parts.loadTable(missing, signal);
          missing = this.#packet(packets, log);
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      this.#failure = toCdcError(error);
    }
    return log.events;
  }

  #packet(packets: PacketReader, log: LogReader): TableId | null {
    const { bytes, view, start, end } = packets;
    const marker = end > start ? bytes[start] : -1;
    if (marker === 0) return log.read(bytes, view, start + 1, end);
    if (marker === 0xff) throw dumpError(bytes, start, end);
    if (marker === 0xfe && end - start < 9) {
      throw new CdcError('SOURCE_CONNECTION_LOST', 'the source ended the stream', { details: { reason: 'EOF' } });
    }
    throw logCorrupt('a packet of the dump is no event');
  }

  /** After a lost connection: the events that take an open transaction back, if there is one. Throws anything else. */
  #recover(failure: CdcError): readonly SourceEvent[] | null {
    this.#failure = null;
    const interrupted = this.#dump?.log.inTransaction ?? false;
    this.#close();
    if (failure.code !== 'SOURCE_CONNECTION_LOST') throw failure;
    this.#parts.onReconnect(failure, 0);
    return interrupted ? [{ kind: 'restart' }] : null;
  }

  #close(): void {
    this.#dump?.packets[Symbol.dispose]();
    this.#dump = null;
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { initialMs, maxMs, giveUpMs } = this.#parts.options.reconnect;
    const startedMs = Date.now();
    for (let attempt = 0; ; attempt++) {
      try {
        this.#dump = await this.#connectOnce(signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        const failure = error instanceof BehindError ? error.error : toCdcError(error);
        const patienceMs = patience(error, failure, giveUpMs);
        if (Date.now() - startedMs >= patienceMs) throw failure;
        this.#parts.onReconnect(failure, attempt + 1);
      }
      await delay(backoffMs(attempt, initialMs, maxMs), signal);
    }
  }

  async #connectOnce(signal: AbortSignal): Promise<Dump> {
    const { options, resume: _, ...parts } = this.#parts;
    const progress = this.#progress;
    const session = await parts.connect(signal);
    try {
      const query = session.query.bind(session);
      const { facts, byGtid, head, clockOffsetMicros } = await verifyStart(query, progress, signal);
      const identity = await parts.identity(session, signal);
      this.#clockOffsetMicros = clockOffsetMicros;
      progress.serverUuid = facts.serverUuid;
      const packets = await startDump(
        session,
        {
          identity,
          heartbeatPeriodMs: options.heartbeatPeriodMs,
          flags: 0,
          from:
            byGtid && progress.executed !== null
              ? { gtidSet: progress.executed.encode() }
              : { file: progress.file, position: progress.position },
          packets: {
            maxPacketBytes: options.maxEventBytes,
            silenceMs: silentPeriods * options.heartbeatPeriodMs,
          },
        },
        signal,
      );
      const log = new LogReader({
        progress,
        versions: parts.versions,
        epoch: parts.epoch,
        captures: parts.captures,
        normalise: parts.normalise,
        byGtid,
        head,
        sessionChecksums: facts.checksums,
        sourceTimeMicros: () => Date.now() * 1000 + this.#clockOffsetMicros,
        onIgnoredEvent: parts.onIgnoredEvent,
      });
      return { packets, log };
    } catch (error) {
      session.close();
      throw error;
    }
  }
}

function patience(error: unknown, failure: CdcError, giveUpMs: number): number {
  if (error instanceof BehindError) return error.replica ? replicaGraceMs : primaryGraceMs;
  return failure.code === 'SOURCE_CONNECTION_LOST' ? giveUpMs : 0;
}

interface Place {
  readonly epoch: number;
  readonly file: string;
  readonly position: number;
}

function comparePositions(a: Place, b: Place): number {
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  const files = logFileNumber(a.file) - logFileNumber(b.file);
  return files === 0 ? a.position - b.position : files;
}
