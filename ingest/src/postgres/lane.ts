import { abortable, backoffMs, delay } from '@millrace/shared/async/delay.ts';
import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';
import type { ErrorDetails } from '@millrace/shared/errors/cdc-error.ts';

import type {
  ClaimedPartition,
  ConsumedRange,
  DestinationLane,
  DestinationObserver,
  LaneBatch,
  TableBatch,
  TopicPartition,
} from '../destination.ts';
import { BatchApplier, fewRows } from './apply-batch.ts';
import type { NoteStep, StepPlace } from './apply-batch.ts';
import type { TextRepairs } from './cell.ts';
import { resolveOutcome } from './commit-outcome.ts';
import { classOf, commitUnknown, explainFailure, isTransient, placeOf } from './explain-failure.ts';
import { grantCreateSchema } from './grants.ts';
import {
  claimedPartition,
  createMetadata,
  fenceParameters,
  fenceSqlState,
  fenceStatement,
  marksParameters,
  marksStatement,
  partitionKey,
  raiseEpochs,
  readMarks,
  readOffsets,
} from './metadata.ts';
import { TableOpener } from './open-table.ts';
import type { OpenTable } from './open-table.ts';
import type { PostgresSettings } from './options.ts';
import { serverError, StepFailed } from './pipeline.ts';
import type { Pipeline, Statement } from './pipeline.ts';
import type { PostgresSession } from './session.ts';
import { destinationError, failureClass } from './sql-state.ts';
import type { FailureClass } from './sql-state.ts';
import { endFrozenOwners } from './frozen-owner.ts';

/** Where the folder reports what it does; constant texts, facts in `details`, never row values. */
export interface PostgresLog {
  info(message: string, details: ErrorDetails): void;
  warn(message: string, details: ErrorDetails): void;
}

export interface LaneOptions {
  readonly settings: PostgresSettings;
  readonly log: PostgresLog;
  readonly observer: DestinationObserver | null;
  readonly openSession: (signal: AbortSignal) => Promise<PostgresSession>;
}

const begin: Statement = { name: 'mr_begin', sql: 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE' };
const commit: Statement = { name: 'mr_commit', sql: 'COMMIT' };
const retryReasons: ReadonlyMap<string, 'deadlock' | 'serialization' | 'lock'> = new Map([
  ['40P01', 'deadlock'],
  ['40001', 'serialization'],
  ['55P03', 'lock'],
] as const);
const retryInitialMs = 50;
const retryMaxMs = 5_000;
/** A frozen owner is ended by the server's timeouts in the end; a takeover must outlast them. */
const minClaimAttempts = 6;

interface Held {
  readonly epoch: bigint;
}

/** One connection that owns whole partitions. A batch is one transaction: fence, offsets, rows, marks. */
export class PostgresLane implements DestinationLane {
  readonly #settings: PostgresSettings;
  readonly #log: PostgresLog;
  readonly #observer: DestinationObserver | null;
  readonly #connect: (signal: AbortSignal) => Promise<PostgresSession>;
  readonly #held = new Map<string, Held>();
  readonly #repairs: TextRepairs = { count: 0 };
  readonly #opener: TableOpener;
  readonly #fence: Statement;
  readonly #marks: Statement;
  #session: PostgresSession | null = null;
  #tables = new Map<string, OpenTable>();
  #replaced: OpenTable[] = [];
  #steps: StepPlace[] = [];

  constructor(options: LaneOptions) {
    this.#settings = options.settings;
    this.#log = options.log;
    this.#observer = options.observer;
    this.#connect = options.openSession;
    this.#fence = fenceStatement(options.settings.metadataSchema);
    this.#marks = marksStatement(options.settings.metadataSchema);
    const context = { invalidText: options.settings.invalidText, repairs: this.#repairs };
    this.#opener = new TableOpener(options.settings, context, (table, statement) => {
      options.log.info('table altered', { table, statement });
    });
  }

  /** Fails early when the database cannot be reached. */
  async connect(signal: AbortSignal): Promise<void> {
    try {
      await this.#open(signal);
    } catch (error) {
      signal.throwIfAborted();
      throw this.#explain(error);
    }
  }

  async claim(
    partitions: readonly (TopicPartition & { readonly firstOffset: bigint })[],
    signal: AbortSignal,
  ): Promise<readonly ClaimedPartition[]> {
    if (partitions.length === 0) return [];
    const attempts = Math.max(this.#settings.maxRetries, minClaimAttempts);
    for (let attempt = 0; ; attempt++) {
      try {
        return await abortable(this.#claimOnce(partitions, signal), signal);
      } catch (error) {
        await this.#afterFailure(error, signal);
        if (!isTransient(error) || attempt >= attempts) throw this.#explain(error);
        this.#log.warn('taking partitions over is tried again', this.#explain(error).details);
        await delay(backoffMs(attempt, retryInitialMs, retryMaxMs), signal);
      }
    }
  }

  async #claimOnce(
    partitions: readonly (TopicPartition & { readonly firstOffset: bigint })[],
    signal: AbortSignal,
  ): Promise<readonly ClaimedPartition[]> {
    const { metadataSchema, commitUser, owner } = this.#settings;
    const session = await this.#open(signal);
    await this.#createMetadata(session);
    let stored;
    try {
      stored = await raiseEpochs(session, { schema: metadataSchema, commitUser, owner, partitions });
    } catch (error) {
      if (serverError(error)?.code === '55P03') {
        const ended = await endFrozenOwners(session, metadataSchema, commitUser);
        if (ended > 0) this.#log.warn('a frozen owner was disconnected', { connections: ended });
      }
      throw error;
    }
    const marks = await readMarks(session, metadataSchema, commitUser, partitions);
    const byKey = new Map(stored.map((offset) => [partitionKey(offset), offset]));
    return partitions.map((partition) => {
      const key = partitionKey(partition);
      const offset = byKey.get(key);
      if (offset === undefined) throw invariantBroken('a claimed partition has no offset row');
      this.#held.set(key, { epoch: offset.epoch });
      return claimedPartition(offset, marks.get(key));
    });
  }

  async #createMetadata(session: PostgresSession): Promise<void> {
    const { address, metadataSchema } = this.#settings;
    try {
      await createMetadata(session, metadataSchema);
    } catch (error) {
      if (failureClass(error) !== 'rights') throw error;
      throw destinationError(error, {}, grantCreateSchema(address.database, address.username));
    }
  }

  release(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#held.delete(partitionKey(partition));
  }

  async commit(batch: LaneBatch, signal: AbortSignal): Promise<void> {
    let unknown = false;
    let drifted = false;
    let rowByRow = false;
    for (let attempt = 0; ; attempt++) {
      try {
        if (unknown && (await abortable(this.#resolve(batch, signal), signal)) === 'committed') break;
        unknown = false;
        await abortable(this.#attempt(batch, rowByRow, signal), signal);
        break;
      } catch (error) {
        // The server may still carry out a COMMIT that it has received: only a new claim tells where to continue.
        if (signal.aborted) this.release(batch.partitions);
        await this.#afterFailure(error, signal);
        if (this.#fenceFailed(error)) {
          // A commit of ours whose answer was lost also moves the offsets from under the next attempt.
          unknown = true;
          if (attempt > this.#settings.maxRetries) throw this.#explain(error);
          continue;
        }
        const kind = classOf(error);
        unknown ||= kind === 'connection' && error instanceof StepFailed && error.allSent;
        // A rule broken by the staged rows does not name its row; single-row statements do.
        const search: boolean = isRefusal(kind) && placeOf(error, this.#steps)?.work === 'apply';
        rowByRow ||= search;
        const again: boolean = search || (kind === 'drift' && !drifted);
        drifted ||= kind === 'drift';
        if (!again && (!isTransient(error) || attempt >= this.#settings.maxRetries)) {
          throw unknown && !(error instanceof CdcError) ? commitUnknown(error) : this.#explain(error);
        }
        this.#observer?.statementRetry(retryReason(error));
        this.#log.warn('a batch is tried again', { attempt: attempt + 1, ...this.#explain(error).details });
        if (!again) await delay(backoffMs(attempt, retryInitialMs, retryMaxMs), signal);
      }
    }
    this.#reportRepairs();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.[Symbol.asyncDispose]();
  }

  /** One transaction, from the fence to COMMIT. Nothing of it remains when it throws, unless COMMIT had been sent. */
  async #attempt(batch: LaneBatch, rowByRow: boolean, signal: AbortSignal): Promise<void> {
    const session = await this.#open(signal);
    this.#steps = [];
    const note: NoteStep = (place) => {
      this.#steps.push(place);
    };
    const opened = new Map<string, OpenTable>();
    const missing = batch.tables.filter((table) => !this.#isOpen(table));
    if (missing.length > 0) {
      await session.pipelined(signal, (pipeline) => {
        this.#putFence(pipeline, batch, note);
      });
      await this.#openTables(session, missing, opened);
      this.#steps = [];
    }
    const results = await session.pipelined(signal, async (pipeline) => {
      if (missing.length === 0) this.#putFence(pipeline, batch, note);
      const applier = new BatchApplier(pipeline, note, rowByRow ? Number.POSITIVE_INFINITY : fewRows);
      for (const table of batch.tables) {
        const open = opened.get(batchKey(table)) ?? this.#tables.get(batchKey(table));
        if (open === undefined) throw invariantBroken('a table is not open');
        await applier.apply(table, open, signal);
      }
      this.#putMarksAndCommit(pipeline, batch, note);
    });
    if (results.at(-1)?.tag !== 'COMMIT') throw invariantBroken('a transaction did not commit');
    await this.#keep(opened, session);
  }

  async #openTables(
    session: PostgresSession,
    missing: readonly TableBatch[],
    opened: Map<string, OpenTable>,
  ): Promise<void> {
    // One order for every lane, so that two cannot wait for each other's tables.
    for (const table of missing.toSorted((a, b) => (batchKey(a) < batchKey(b) ? -1 : 1))) {
      opened.set(batchKey(table), await this.#opener.open(session, table.target.schema));
    }
  }

  #putFence(pipeline: Pipeline, batch: LaneBatch, note: NoteStep): void {
    const parameters = fenceParameters(
      this.#settings.commitUser,
      batch.partitions,
      (range) => this.#epochOf(range),
      batch.sourceTimeMicros,
    );
    pipeline.execute(begin);
    note({ work: 'begin', target: null, row: null });
    pipeline.execute(this.#fence, parameters);
    note({ work: 'fence', target: null, row: null });
  }

  #putMarksAndCommit(pipeline: Pipeline, batch: LaneBatch, note: NoteStep): void {
    const marks = marksParameters(this.#settings.commitUser, batch.partitions);
    if (marks !== null) {
      pipeline.execute(this.#marks, marks);
      note({ work: 'marks', target: null, row: null });
    }
    pipeline.execute(commit);
    note({ work: 'commit', target: null, row: null });
  }

  #epochOf(range: ConsumedRange): bigint {
    const held = this.#held.get(partitionKey(range));
    if (held !== undefined) return held.epoch;
    throw invariantBroken('a batch of a partition that is not claimed', {
      topic: range.topic,
      partition: range.partition,
    });
  }

  #isOpen(table: TableBatch): boolean {
    return this.#tables.get(batchKey(table))?.schema.fingerprint === table.target.schema.fingerprint;
  }

  /** Tables stay open once their transaction is durable; what they replace is cleared away. */
  async #keep(opened: ReadonlyMap<string, OpenTable>, session: PostgresSession): Promise<void> {
    for (const [key, table] of opened) {
      const old = this.#tables.get(key);
      if (old !== undefined) this.#replaced.push(old);
      this.#tables.set(key, table);
    }
    if (this.#replaced.length === 0) return;
    const replaced = this.#replaced;
    this.#replaced = [];
    try {
      for (const old of replaced) {
        if (old.plan.mode !== 'append') await session.run(old.statements.dropStaging);
      }
      await session.run('DEALLOCATE ALL');
      session.forgetStatements();
    } catch {
      // The batch is durable; a session that cannot drop its own temporary tables is replaced.
      this.#drop();
    }
  }

  async #open(signal: AbortSignal): Promise<PostgresSession> {
    if (this.#session?.usable === true) return this.#session;
    this.#drop();
    this.#session = await this.#connect(signal);
    return this.#session;
  }

  /** The session and everything that lived in it. */
  #drop(): void {
    this.#session?.destroy();
    this.#session = null;
    this.#tables = new Map();
    this.#replaced = [];
  }

  /** Leaves a session without a transaction, or none. */
  async #afterFailure(error: unknown, signal: AbortSignal): Promise<void> {
    const session = this.#session;
    const kind = classOf(error);
    if (kind === 'drift') {
      this.#replaced.push(...this.#tables.values());
      this.#tables = new Map();
    }
    if (signal.aborted || kind === 'connection' || session === null || !session.usable) {
      this.#drop();
      signal.throwIfAborted();
      return;
    }
    try {
      await abortable(session.rollback(), signal);
    } catch {
      this.#drop();
      signal.throwIfAborted();
    }
  }

  #fenceFailed(error: unknown): boolean {
    if (serverError(error)?.code !== fenceSqlState) return false;
    return placeOf(error, this.#steps)?.work === 'fence';
  }

  /** Reads what the database holds; throws when it is neither before nor after this batch. */
  async #resolve(batch: LaneBatch, signal: AbortSignal): Promise<'committed' | 'not-committed'> {
    const session = await this.#open(signal);
    const { metadataSchema, commitUser } = this.#settings;
    const stored = await readOffsets(session, metadataSchema, commitUser, batch.partitions);
    return resolveOutcome(batch.partitions, stored, (range) => this.#epochOf(range));
  }

  #explain(error: unknown): CdcError {
    return explainFailure(error, this.#steps, this.#settings);
  }

  #reportRepairs(): void {
    if (this.#repairs.count === 0) return;
    this.#log.warn('text that the database cannot store was changed', { characters: this.#repairs.count });
    this.#repairs.count = 0;
  }
}

function retryReason(error: unknown): Parameters<DestinationObserver['statementRetry']>[0] {
  const known = retryReasons.get(serverError(error)?.code ?? '');
  return known ?? (classOf(error) === 'connection' ? 'connection' : 'other');
}

function batchKey(table: TableBatch): string {
  const { namespace, schema, table: name } = table.target.schema.id;
  return JSON.stringify([namespace, schema, name]);
}

function isRefusal(kind: FailureClass | null): boolean {
  return kind === 'row' || kind === 'unique';
}
