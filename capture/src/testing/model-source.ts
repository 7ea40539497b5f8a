import type { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import type { ResumePoint } from '@millrace/shared/event/position.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';

import type {
  ChunkBound,
  ChunkRange,
  Delivered,
  RenderedRow,
  RenderSpec,
  RowBatch,
  RowOp,
  RowRenderer,
  Source,
  SourceEvent,
  SourceStream,
  SourceTable,
  Watermark,
} from '../source.ts';

/** A row of the model: `version` counts all writes of the database, so that a history can be judged. */
export interface ModelRow {
  readonly id: number;
  readonly version: number;
}

export interface ModelChange {
  readonly op: RowOp;
  readonly before: ModelRow | null;
  readonly after: ModelRow | null;
}

interface ModelBatch extends RowBatch {
  readonly changes: readonly ModelChange[];
}

export const modelTable: SourceTable = {
  schema: tableSchema({
    id: { namespace: '', schema: 'db', table: 't' },
    columns: ['id', 'version'].map((name) => ({
      name,
      type: { kind: 'int' },
      nullable: false,
      sourceType: 'int',
      comment: null,
      defaultValue: null,
      generated: false,
    })),
    primaryKey: ['id'],
    comment: null,
  }),
};

/** A renderer over model rows with the contract of the real ones. */
export class ModelRenderer implements RowRenderer {
  readonly replacedTexts = 0;
  readonly row: RenderedRow = {
    beforeStart: -1,
    beforeEnd: -1,
    afterStart: -1,
    afterEnd: -1,
    beforeKeyStart: -1,
    beforeKeyEnd: -1,
    afterKeyStart: -1,
    afterKeyEnd: -1,
    keyChanged: false,
    unavailable: null,
  };
  readonly #prefix: string;
  #changes: readonly ModelChange[] = [];
  #next = 0;

  constructor(spec: RenderSpec) {
    this.#prefix = Buffer.from(spec.keyPrefix).toString();
  }

  open(batch: RowBatch): void {
    this.#changes = (batch as ModelBatch).changes;
    this.#next = 0;
  }

  next(out: ByteWriter): boolean {
    const change = this.#changes[this.#next];
    if (change === undefined) return false;
    this.#next += 1;
    const put = (text: string | null): [number, number] => {
      if (text === null) return [-1, -1];
      const start = out.length;
      out.appendUtf8(text);
      return [start, out.length];
    };
    const image = (row: ModelRow | null): string | null => (row === null ? null : JSON.stringify(row));
    const key = (row: ModelRow | null): string | null => (row === null ? null : `${this.#prefix},"id":${row.id}}`);
    const { row } = this;
    [row.beforeStart, row.beforeEnd] = put(image(change.before));
    [row.afterStart, row.afterEnd] = put(image(change.after));
    [row.beforeKeyStart, row.beforeKeyEnd] = put(key(change.before));
    [row.afterKeyStart, row.afterKeyEnd] = put(key(change.after));
    row.keyChanged = change.op === 'update' && change.before?.id !== change.after?.id;
    return true;
  }
}

/** A database with a log whose commits become visible to queries later than they reach the log (T100). */
export class ModelDatabase {
  readonly log: (readonly ModelChange[])[] = [];
  /** Transactions of the log that queries see. */
  visible = 0;
  readonly #rows = new Map<number, ModelRow>();
  #version = 0;

  rows(upTo = this.log.length): Map<number, ModelRow> {
    const rows = new Map<number, ModelRow>();
    for (const transaction of this.log.slice(0, upTo)) {
      for (const change of transaction) {
        if (change.before !== null) rows.delete(change.before.id);
        if (change.after !== null) rows.set(change.after.id, change.after);
      }
    }
    return rows;
  }

  /** One transaction: each step inserts, updates, re-keys or deletes, as far as the rows allow. */
  commit(steps: readonly { readonly id: number; readonly kind: number; readonly other: number }[]): void {
    const changes: ModelChange[] = [];
    for (const { id, kind, other } of steps) {
      const before = this.#rows.get(id) ?? null;
      this.#version += 1;
      if (before === null) this.#apply(changes, 'create', null, { id, version: this.#version });
      else if (kind === 0) this.#apply(changes, 'delete', before, null);
      else if (kind === 1 && !this.#rows.has(other))
        this.#apply(changes, 'update', before, { id: other, version: this.#version });
      else this.#apply(changes, 'update', before, { id, version: this.#version });
    }
    this.log.push(changes);
  }

  #apply(changes: ModelChange[], op: RowOp, before: ModelRow | null, after: ModelRow | null): void {
    if (before !== null) this.#rows.delete(before.id);
    if (after !== null) this.#rows.set(after.id, after);
    changes.push({ op, before, after });
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function eventsOf(transaction: readonly ModelChange[], number: number): SourceEvent[] {
  const events: SourceEvent[] = [{ kind: 'begin', gtid: `g:${number}`, commitTimeMicros: number }];
  transaction.forEach((change, index) => {
    const rows: ModelBatch = { table: modelTable, changes: [change] };
    const position = Buffer.from(`0001.00000001.${hex(number * 100 + index, 16)}.00000000`);
    events.push({ kind: 'rows', op: change.op, rows, position });
  });
  events.push({ kind: 'commit' });
  return events;
}

/** Delivers the log in batches that cut transactions anywhere; `pause` decides when and how much. */
class ModelStream implements SourceStream {
  readonly #database: ModelDatabase;
  readonly #pause: () => Promise<number>;
  #delivered: number;
  #rest: SourceEvent[] = [];
  /** The last delivered event left a transaction open. */
  #inside = false;

  constructor(database: ModelDatabase, after: number, pause: () => Promise<number>) {
    this.#database = database;
    this.#delivered = after;
    this.#pause = pause;
  }

  async next(signal: AbortSignal): Promise<readonly SourceEvent[]> {
    for (;;) {
      const size = 1 + (await this.#pause());
      signal.throwIfAborted();
      let taken = this.#delivered + (this.#rest.length > 0 ? 1 : 0);
      while (this.#rest.length < size && taken < this.#database.log.length) {
        taken += 1;
        this.#rest.push(...eventsOf(this.#database.log[taken - 1] ?? [], taken));
      }
      const events = this.#rest.splice(0, size);
      this.#delivered += events.filter((event) => event.kind === 'commit').length;
      const last = events.at(-1);
      if (last === undefined) continue;
      this.#inside = last.kind !== 'commit';
      // Like a reader that must look something up before it can hand over what it has parsed.
      if (this.#delivered % 3 === 0) await this.#pause();
      return events;
    }
  }

  resumePoint(): ResumePoint {
    return String(this.#delivered) as ResumePoint;
  }

  hasReached(mark: Watermark): boolean {
    return this.#delivered >= Number(mark.resume);
  }

  delivered(): Delivered {
    const delivered = this.#delivered + (this.#inside ? 1 : 0);
    return { isWithin: (mark) => delivered <= Number(mark.resume) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Holds nothing.
  }
}

function inRange(id: number, range: ChunkRange): boolean {
  return (range.from === null || id >= Number(range.from)) && (range.to === null || id < Number(range.to));
}

/** A `Source` over the model. */
export class ModelSource implements Source {
  readonly #database: ModelDatabase;
  readonly #pause: () => Promise<number>;

  constructor(database: ModelDatabase, pause: () => Promise<number>) {
    this.#database = database;
    this.#pause = pause;
  }

  async check(): Promise<readonly string[]> {
    return [];
  }

  async tables(): Promise<readonly SourceTable[]> {
    return [modelTable];
  }

  async resolveStart(): Promise<ResumePoint> {
    return String(this.#database.visible) as ResumePoint;
  }

  async stream(after: ResumePoint): Promise<SourceStream> {
    return new ModelStream(this.#database, Number(after), this.#pause);
  }

  async watermark(): Promise<Watermark> {
    await this.#pause();
    const { visible } = this.#database;
    return { resume: String(visible) as ResumePoint, position: `0001.00000001.${hex(visible * 100, 16)}` };
  }

  async estimateRows(): Promise<number> {
    return this.#database.rows(this.#database.visible).size;
  }

  async chunkEnd(_table: SourceTable, from: ChunkBound | null, rows: number): Promise<ChunkBound | null> {
    await this.#pause();
    const ids = [...this.#database.rows(this.#database.visible).keys()].sort((a, b) => a - b);
    const next = ids.filter((id) => from === null || id >= Number(from))[rows];
    return next === undefined ? null : (String(next) as ChunkBound);
  }

  async *readChunk(_table: SourceTable, range: ChunkRange, signal: AbortSignal): AsyncIterable<RowBatch> {
    await this.#pause();
    const seen = [...this.#database.rows(this.#database.visible).values()].filter((row) => inRange(row.id, range));
    for (let at = 0; at < seen.length; at += 2) {
      signal.throwIfAborted();
      const changes = seen.slice(at, at + 2).map((after) => ({ op: 'create' as const, before: null, after }));
      const batch: ModelBatch = { table: modelTable, changes };
      yield batch;
      await this.#pause();
    }
  }

  compile(_table: SourceTable, spec: RenderSpec): RowRenderer {
    return new ModelRenderer(spec);
  }

  confirm(): void {
    // The model's log is never purged.
  }

  async backlog(): Promise<{ bytes: null; position: string; clockOffsetMs: null }> {
    return { bytes: null, position: '', clockOffsetMs: null };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Holds nothing.
  }
}
