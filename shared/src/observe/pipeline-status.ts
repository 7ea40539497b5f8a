import type { CdcError } from '../errors/cdc-error.ts';
import { describeFailure, ErrorHistory } from './error-history.ts';
import { RateMeter } from './rate-meter.ts';
import type {
  Lag,
  LagStage,
  MemorySnapshot,
  PipelineState,
  RowCounts,
  StatusSnapshot,
  TableState,
} from './status-snapshot.ts';
import { TableStatus } from './table-status.ts';

export interface PipelineStatusOptions {
  readonly pipeline: string;
  readonly kind: 'capture' | 'ingest';
  readonly version: string;
  readonly memoryLimitBytes?: number;
  readonly nowMs?: () => number;
}

export interface Readiness {
  readonly ready: boolean;
  /** Error code or pipeline state, and why. */
  readonly code: string;
  readonly reason: string;
}

/** What the process knows about itself. Updated per batch by its owners, read by `/status.json`, probes and `status`. */
export class PipelineStatus {
  readonly pipeline: string;
  readonly kind: 'capture' | 'ingest';
  readonly version: string;
  readonly #nowMs: () => number;
  readonly #startedMs: number;
  readonly #limitBytes: number | null;
  readonly #tables = new Map<string, TableStatus>();
  readonly #errors = new ErrorHistory();
  readonly #lag: Partial<Record<LagStage, Lag>> = {};
  readonly #heartbeats = new Map<string, number>();
  readonly #offsets = new Map<string, Map<number, bigint | number>>();
  readonly #events: RateMeter;
  readonly #bytes: RateMeter;
  #totalEvents = 0;
  #totalBytes = 0;
  #state: PipelineState = 'starting';
  #reason: string | null = null;
  #sinceMs: number;
  #lastCode: string | null = null;
  #loaded = false;
  #position: string | null = null;
  #inFlightBytes = 0;

  constructor(options: PipelineStatusOptions) {
    this.pipeline = options.pipeline;
    this.kind = options.kind;
    this.version = options.version;
    this.#limitBytes = options.memoryLimitBytes ?? null;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#startedMs = this.#nowMs();
    this.#sinceMs = this.#startedMs;
    this.#events = new RateMeter(this.#startedMs);
    this.#bytes = new RateMeter(this.#startedMs);
  }

  get state(): PipelineState {
    return this.#state;
  }

  /** How long the pipeline has been running without a failure; 0 in every other state. */
  get runningForMs(): number {
    return this.#state === 'running' ? this.#nowMs() - this.#sinceMs : 0;
  }

  enter(state: PipelineState, reason: string | null = null): void {
    if (state !== this.#state) this.#sinceMs = this.#nowMs();
    this.#state = state;
    this.#reason = reason;
    if (state === 'running') this.#lastCode = null;
  }

  /** A failure of the whole pipeline. */
  fail(error: CdcError, next: 'retrying' | 'failed'): void {
    this.#errors.add(describeFailure(error, null, this.#nowMs()));
    this.enter(next, error.message);
    this.#lastCode = error.code;
  }

  /** Configuration and checkpoint are loaded. */
  markLoaded(): void {
    this.#loaded = true;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  readiness(): Readiness {
    return {
      ready: this.#state === 'running',
      code: this.#lastCode ?? this.#state,
      reason: this.#reason ?? this.#state,
    };
  }

  setPosition(position: string): void {
    this.#position = position;
  }

  setOffset(topic: string, partition: number, next: bigint | number): void {
    let partitions = this.#offsets.get(topic);
    if (partitions === undefined) this.#offsets.set(topic, (partitions = new Map()));
    partitions.set(partition, next);
  }

  /** The partition belongs to another member from now on. */
  dropOffset(topic: string, partition: number): void {
    const partitions = this.#offsets.get(topic);
    partitions?.delete(partition);
    if (partitions?.size === 0) this.#offsets.delete(topic);
  }

  /** What is left out is unknown. Negative seconds (a clock that runs ahead) count as 0. */
  setLag(stage: LagStage, lag: Partial<Lag>): void {
    const seconds = lag.seconds ?? null;
    this.#lag[stage] = {
      events: lag.events ?? null,
      bytes: lag.bytes ?? null,
      seconds: seconds === null ? null : Math.max(0, seconds),
    };
  }

  heartbeatArrived(destination: string): void {
    this.#heartbeats.set(destination, this.#nowMs());
  }

  setInFlightBytes(bytes: number): void {
    this.#inFlightBytes = bytes;
  }

  /** Of all tables; what the rates are made of. */
  addTraffic(events: number, bytes: number): void {
    const nowMs = this.#nowMs();
    this.#events.add(events, nowMs);
    this.#bytes.add(bytes, nowMs);
    this.#totalEvents += events;
    this.#totalBytes += bytes;
  }

  tableState(table: string, state: TableState, reason: string | null = null): void {
    this.#table(table).enter(state, reason, this.#nowMs());
  }

  /** The table stops, the others go on. */
  tableFailed(table: string, error: CdcError): void {
    this.#table(table).fail(error, this.#nowMs());
    this.#errors.add(describeFailure(error, table, this.#nowMs()));
  }

  tableRows(table: string, op: keyof RowCounts, rows: number): void {
    this.#table(table).addRows(op, rows);
  }

  tableProgress(table: string, done: number, total: number | null, chunksLeft: number | null = null): void {
    this.#table(table).progress(done, total, chunksLeft, this.#nowMs());
  }

  tableLag(table: string, seconds: number | null): void {
    this.#table(table).lagSeconds = seconds === null ? null : Math.max(0, seconds);
  }

  tableDeadLetters(table: string, letters: number): void {
    this.#table(table).addDeadLetters(letters);
  }

  #table(name: string): TableStatus {
    let table = this.#tables.get(name);
    if (table === undefined) this.#tables.set(name, (table = new TableStatus(name, this.#nowMs())));
    return table;
  }

  snapshot(): StatusSnapshot {
    const nowMs = this.#nowMs();
    const tables = [...this.#tables.values()];
    return {
      pipeline: this.pipeline,
      kind: this.kind,
      version: this.version,
      state: this.#state,
      since: new Date(this.#sinceMs).toISOString(),
      reason: this.#reason,
      startedAt: new Date(this.#startedMs).toISOString(),
      now: new Date(nowMs).toISOString(),
      green: this.#state === 'running' && tables.every(({ state }) => quietStates.has(state)),
      position: this.#position,
      offsets: this.#offsetsSnapshot(),
      lag: { ...this.#lag },
      rates: { eventsPerSecond: this.#events.perSecond(nowMs), bytesPerSecond: this.#bytes.perSecond(nowMs) },
      totals: { events: this.#totalEvents, bytes: this.#totalBytes },
      heartbeats: [...this.#heartbeats].map(([destination, atMs]) => ({
        destination,
        ageSeconds: Math.max(0, nowMs - atMs) / 1000,
      })),
      tables: tables.map((table) => table.snapshot(nowMs)),
      errors: this.#errors.snapshot(),
      memory: this.#memory(),
    };
  }

  #offsetsSnapshot(): Record<string, Record<string, string>> {
    return Object.fromEntries(
      [...this.#offsets].map(([topic, partitions]) => [
        topic,
        Object.fromEntries([...partitions].map(([partition, next]) => [String(partition), String(next)])),
      ]),
    );
  }

  #memory(): MemorySnapshot {
    const { rss, heapUsed } = process.memoryUsage();
    return { rssBytes: rss, heapUsedBytes: heapUsed, inFlightBytes: this.#inFlightBytes, limitBytes: this.#limitBytes };
  }
}

/** States that ask nobody to look. */
const quietStates: ReadonlySet<TableState> = new Set(['live', 'paused', 'removed']);
