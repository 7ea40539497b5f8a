import type { Duplex } from 'node:stream';

import { DatabaseError } from 'pg';
import type { Connection } from 'pg';

import { Gate } from '@millrace/shared/async/gate.ts';
import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { invariantBroken } from '@millrace/shared/errors/cdc-error.ts';

import {
  closeCopyData,
  openCopyData,
  putBind,
  putBindCopyRow,
  putCopyDone,
  putCopyFail,
  putExecute,
  putParse,
  putSync,
} from './frontend-message.ts';

/** Large writes keep the number of system calls and of CopyData messages low. */
export const chunkBytes = 192 * 1024;

export interface Statement {
  /** Name of the prepared statement; one name, one text, per session. */
  readonly name: string;
  readonly sql: string;
}

export interface StepResult {
  /** Command tag such as `UPDATE 3`. */
  readonly tag: string;
  readonly rows: readonly (readonly (string | null)[])[];
}

/** A step of a pipeline failed; `cause` is what the server or the socket said. */
export class StepFailed extends Error {
  readonly step: number;
  /** Everything including the last command had been handed to the socket. */
  readonly allSent: boolean;

  constructor(step: number, allSent: boolean, cause: unknown) {
    super('a step of the pipeline failed', { cause });
    this.step = step;
    this.allSent = allSent;
  }
}

/** Names of the statements that the session has prepared; cleared when a pipeline fails. */
export type PreparedNames = Set<string>;

const freeBuffersKept = 4;

/** Output buffers that the socket has given back. */
export class BufferPool {
  readonly #free: ByteWriter[] = [];

  take(): ByteWriter {
    return this.#free.pop() ?? new ByteWriter(chunkBytes + 65_536);
  }

  giveBack(buffer: ByteWriter): void {
    buffer.clear();
    if (this.#free.length < freeBuffersKept && buffer.bytes.length <= 4 * chunkBytes) this.#free.push(buffer);
  }
}

/**
 * One extended-protocol pipeline on a `pg` connection: commands and COPY data are sent without waiting for answers, one
 * Sync ends it. After the first error the server skips everything up to the Sync, so a `COMMIT` at the end can only run
 * when every step before it passed. `pg` calls the `handle…` methods, as it does for its own queries.
 */
export class Pipeline {
  readonly #prepared: PreparedNames;
  readonly #pool: BufferPool;
  readonly #answerTimeoutMs: number;
  readonly #results: StepResult[] = [];
  readonly #progress = new Gate();
  #out: ByteWriter;
  #stream: Duplex | null = null;
  #rows: (string | null)[][] = [];
  #steps = 0;
  #unflushed = 0;
  #allSent = false;
  #synced = false;
  #done = false;
  #failure: unknown = null;
  #silence: NodeJS.Timeout | null = null;

  constructor(prepared: PreparedNames, pool: BufferPool, answerTimeoutMs: number) {
    this.#prepared = prepared;
    this.#pool = pool;
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#out = pool.take();
  }

  /** Called by `pg` when the connection is ours. */
  submit(connection: Connection): void {
    this.#stream = connection.stream;
    this.#progress.open();
  }

  /** Resolves when `pg` has handed the connection over. */
  async ready(signal: AbortSignal): Promise<void> {
    while (this.#stream === null && this.#failure === null) await this.#progress.wait(signal);
    this.#throwFailure();
  }

  /** Index of the step in the results. */
  execute(statement: Statement, parameters: readonly (string | null)[] = []): number {
    this.#parse(statement);
    putBind(this.#out, statement.name, parameters);
    putExecute(this.#out);
    return this.#steps++;
  }

  /** As `execute`, the parameters being the fields of a row of COPY text; returns where the next row starts. */
  executeCopyRow(statement: Statement, columnCount: number, copyText: Buffer, from: number): number {
    this.#parse(statement);
    const next = putBindCopyRow(this.#out, statement.name, columnCount, copyText, from);
    putExecute(this.#out);
    this.#steps++;
    return next;
  }

  /** Starts `COPY … FROM STDIN`; rows follow by `copyRows`. */
  openCopy(statement: Statement): number {
    return this.execute(statement);
  }

  /**
   * Lets `fill` append rows of COPY text into the output until it says that there are no more, sending as buffers fill.
   * `fill` returns true when rows are left. When it throws, the copy is failed and the error passed on.
   */
  async copyRows(fill: (out: ByteWriter, limitBytes: number) => boolean, signal: AbortSignal): Promise<void> {
    let more = true;
    while (more) {
      const token = openCopyData(this.#out);
      const dataAt = this.#out.length;
      try {
        more = fill(this.#out, chunkBytes);
      } catch (error) {
        this.#out.length = dataAt;
        closeCopyData(this.#out, token);
        putCopyFail(this.#out, 'a row was refused');
        throw error;
      }
      closeCopyData(this.#out, token);
      if (this.#out.length >= chunkBytes) await this.flush(signal);
    }
    putCopyDone(this.#out);
  }

  get bufferedBytes(): number {
    return this.#out.length;
  }

  /** Sends what has gathered and waits while the socket holds more than a few buffers. */
  async flush(signal: AbortSignal): Promise<void> {
    this.#throwFailure();
    this.#send();
    while (this.#unflushed > 2 && this.#failure === null) await this.#progress.wait(signal);
    this.#throwFailure();
  }

  /** Ends the pipeline and waits for all answers. Throws `StepFailed`. */
  async finish(signal: AbortSignal): Promise<readonly StepResult[]> {
    this.#throwFailure();
    putSync(this.#out);
    this.#synced = true;
    this.#allSent = true;
    this.#send();
    while (!this.#done && this.#failure === null) await this.#progress.wait(signal);
    this.#throwFailure();
    return this.#results;
  }

  /** Gives the pipeline up after a failure of ours or the server's; the session can be used again after it. */
  abandon(): void {
    if (this.#synced || this.#stream === null) return;
    this.#synced = true;
    // The server has discarded, or will discard, what was not sent yet; only the Sync counts.
    putSync(this.#out);
    this.#send();
  }

  #parse(statement: Statement): void {
    if (this.#prepared.has(statement.name)) return;
    putParse(this.#out, statement.name, statement.sql);
    this.#prepared.add(statement.name);
  }

  #send(): void {
    const stream = this.#stream;
    if (stream === null) throw invariantBroken('the pipeline has no connection');
    const buffer = this.#out;
    this.#out = this.#pool.take();
    this.#unflushed++;
    this.#watchSilence();
    stream.write(buffer.bytes.subarray(0, buffer.length), () => {
      this.#unflushed--;
      this.#pool.giveBack(buffer);
      this.#progress.open();
    });
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw new StepFailed(this.#results.length, this.#allSent, this.#failure);
  }

  #settle(): void {
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#silence = null;
    this.#progress.open();
  }

  /** A peer that vanished without a word is noticed by our own timer; the server has its statement_timeout. */
  #watchSilence(): void {
    if (this.#silence !== null || this.#done || this.#failure !== null) return;
    this.#silence = setTimeout(() => {
      this.#stream?.destroy(new Error('the database did not answer in time'));
    }, this.#answerTimeoutMs);
  }

  #heard(): void {
    this.#silence?.refresh();
  }

  handleDataRow(message: { readonly fields: (string | null)[] }): void {
    this.#rows.push(message.fields);
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#results.push({ tag: message.text, rows: this.#rows });
    this.#rows = [];
    this.#heard();
  }

  handleReadyForQuery(): void {
    this.#done = true;
    this.#settle();
  }

  handleError(error: unknown): void {
    if (this.#failure !== null || this.#done) return;
    this.#failure = error;
    this.#settle();
  }

  handleCopyInResponse(): void {
    this.#heard();
  }

  handleRowDescription(): void {
    this.#heard();
  }

  handleEmptyQuery(): void {
    this.#heard();
  }

  handlePortalSuspended(): void {
    this.#heard();
  }
}

/** The server's own word on why a step failed, if it was the server. */
export function serverError(error: unknown): DatabaseError | null {
  const cause = error instanceof StepFailed ? error.cause : error;
  return cause instanceof DatabaseError ? cause : null;
}
