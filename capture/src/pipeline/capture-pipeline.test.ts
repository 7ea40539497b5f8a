import { Gate } from '@millrace/shared/async/gate.ts';
import { debeziumJsonFrame } from '@millrace/shared/format/debezium-json-frame.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { plainValues } from '../testing/plain-values.ts';
import { TextValue } from '../testing/text-value.ts';
import type { Lane } from '../publish/lane.ts';
import { startProgress } from '../snapshot/progress.ts';
import { Snapshotter } from '../snapshot/snapshotter.ts';
import { ChunkWindows } from '../snapshot/window.ts';
import { CapturePipeline } from './capture-pipeline.ts';
import type { RecordFlow } from './capture-pipeline.ts';
import type { CheckpointState } from './checkpoint-state.ts';
import { ModelDatabase, ModelSource, modelTable } from '../testing/model-source.ts';
import type { ModelRow } from '../testing/model-source.ts';
import { TableRegistry } from './table-registry.ts';

interface TopicRecord {
  readonly key: string;
  readonly value: string | null;
  readonly sequence: number;
}

/** A broker with one partition: takes what is released, acknowledges when told. */
class ModelTopic implements RecordFlow, Lane<TextValue> {
  readonly topic: TopicRecord[] = [];
  #unsent: TopicRecord[] = [];
  #inFlight: TopicRecord[] = [];
  #released = 0;
  readonly #acknowledged = new Gate();

  get pendingBytes(): number {
    return this.#unsent.length + this.#inFlight.length;
  }

  append(
    _timestampMs: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: TextValue | null,
    _headers: Buffer,
    _headersStart: number,
    _headersEnd: number,
    _headerCount: number,
    sequence: number,
  ): void {
    this.#unsent.push({ key: key.toString('utf8', keyStart, keyEnd), value: value?.text ?? null, sequence });
  }

  release(sequence: number): void {
    this.#released = Math.max(this.#released, sequence);
  }

  flush(): void {
    if (this.#inFlight.length > 0) return;
    this.#inFlight = this.#unsent.filter((record) => record.sequence <= this.#released);
    this.#unsent = this.#unsent.slice(this.#inFlight.length);
  }

  discard(sequence: number): void {
    this.#unsent = this.#unsent.filter((record) => record.sequence < sequence);
  }

  firstPendingSequence(): number {
    return this.#inFlight[0]?.sequence ?? this.#unsent[0]?.sequence ?? Number.POSITIVE_INFINITY;
  }

  settled(signal: AbortSignal): Promise<void> {
    return this.#acknowledged.wait(signal);
  }

  /** The broker wrote what is in flight; the answer arrives unless it is lost in a crash. */
  write(): void {
    this.topic.push(...this.#inFlight);
  }

  acknowledge(): void {
    this.write();
    this.#inFlight = [];
    this.flush();
    this.#acknowledged.open();
  }
}

function registry(source: ModelSource, topic: ModelTopic): TableRegistry<TextValue> {
  return new TableRegistry<TextValue>({
    source,
    topics: { partitionCount: async () => 1, lane: () => topic, value: () => new TextValue() },
    announce: null,
    nowMs: () => 0,
    options: {
      sourceName: 's',
      route: { topic: null, mapping: [], prefix: null },
      routed: (id) => id,
      rule: () => null,
      strategy: () => 'all-to-zero',
      keyFormat: 'json',
      frame: (id) => debeziumJsonFrame(id, { flavour: 'vvr', snapshotOp: 'r', fullTableId: false }),
      values: plainValues,
      tableIdHeaders: false,
      customHeaders: [],
      positionHeaders: true,
      tombstones: false,
      changedOldOnly: false,
    },
  });
}

interface Run {
  readonly topic: ModelTopic;
  readonly pipeline: CapturePipeline<TextValue>;
  readonly ended: Promise<void>;
  readonly stop: AbortController;
}

const table = 'db.t';

async function start(
  database: ModelDatabase,
  checkpoint: CheckpointState,
  pause: () => Promise<number>,
  skipBackfill: boolean,
): Promise<Run> {
  const source = new ModelSource(database, pause);
  const stop = new AbortController();
  const stream = await source.stream(checkpoint.resume);
  const topic = new ModelTopic();
  const windows = new ChunkWindows();
  const tables = registry(source, topic);
  let wake = (): void => undefined;
  const snapshotter = new Snapshotter({
    source,
    stream,
    windows,
    options: { parallelism: 2, chunkRows: 3, rowsPerSecond: 0, maxWaitingBytes: 200 },
    renderer: (version) => tables.snapshotRenderer(version),
    refresh: async (version) => version,
    onHanded: () => {
      wake();
    },
    onTableError: () => undefined,
    onReplacedTexts: () => undefined,
    nowMs: () => 0,
  });
  const state = checkpoint.tables[table];
  if (state?.state === 'snapshotting') snapshotter.add(modelTable, state.progress);
  const pipeline = new CapturePipeline<TextValue>(
    {
      stream,
      flow: topic,
      registry: tables,
      snapshotter,
      windows,
      counters: {
        rows: () => undefined,
        turn: () => undefined,
        heartbeat: () => undefined,
        replacedTexts: () => undefined,
      },
      onSchemaChange: async () => undefined,
      firstState: () => ({ state: 'live' }),
      onTableStopped: () => undefined,
      onTableLive: () => undefined,
      topics: () => ({}),
      truncateEvents: false,
      memoryLimitBytes: 20,
      transactionMaxBufferBytes: 10,
      skipBackfill,
    },
    checkpoint,
  );
  wake = () => {
    pipeline.wake();
  };
  const ended = pipeline.run(() => false, stop.signal).catch(() => undefined);
  return { topic, pipeline, ended, stop };
}

/** Replays a topic as an upsert reader would. */
function replay(records: readonly TopicRecord[]): Map<number, ModelRow> {
  const rows = new Map<number, ModelRow>();
  for (const record of records) {
    const value = JSON.parse(record.value ?? 'null') as { op: string; before: ModelRow | null; after: ModelRow | null };
    if (value.op === 'd' && value.before !== null) rows.delete(value.before.id);
    if (value.after !== null) rows.set(value.after.id, value.after);
  }
  return rows;
}

/** Versions of a key in the order in which the topic has them. */
function historyRises(records: readonly TopicRecord[]): boolean {
  const last = new Map<string, number>();
  for (const record of records) {
    const value = JSON.parse(record.value ?? 'null') as { after: ModelRow | null };
    if (value.after === null) continue;
    if (value.after.version < (last.get(record.key) ?? 0)) return false;
    last.set(record.key, value.after.version);
  }
  return true;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const step = fc.record({ id: fc.nat(12), kind: fc.nat(3), other: fc.nat(12) });
const transaction = fc.array(step, { maxLength: 5 });
const action = fc.oneof(
  { weight: 6, arbitrary: transaction.map((steps) => ({ kind: 'commit' as const, steps })) },
  { weight: 6, arbitrary: fc.constant({ kind: 'visible' as const }) },
  { weight: 6, arbitrary: fc.constant({ kind: 'acknowledge' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'wake' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash-after-write' as const }) },
);

interface World {
  readonly database: ModelDatabase;
  readonly pause: () => Promise<number>;
  readonly skipBackfill: boolean;
  checkpoint: CheckpointState;
  run: Run;
  readonly topic: TopicRecord[];
  crashes: number;
}

async function restart(world: World, written: boolean): Promise<void> {
  if (written) world.run.topic.write();
  world.run.stop.abort();
  await world.run.ended;
  world.topic.push(...world.run.topic.topic);
  world.crashes += 1;
  world.run = await start(world.database, world.checkpoint, world.pause, world.skipBackfill);
}

async function settle(world: World): Promise<void> {
  world.database.visible = world.database.log.length;
  for (let calm = 0; calm < 60;) {
    await turn();
    world.run.topic.acknowledge();
    const durable = world.run.pipeline.durable();
    if (durable !== undefined) world.checkpoint = durable;
    const complete = Number(world.checkpoint.resume) === world.database.log.length && world.run.pipeline.snapshotDone;
    calm = complete ? calm + 1 : 0;
  }
}

test.each([
  ['T34 T100 T126 T128 snapshot and stream end in the source rows, per key in order, through any crash', false, 500],
  ['without backfill snapshot and stream end in the source rows all the same', true, 200],
] as const)('%s', { timeout: 120_000 }, async (_name, skipBackfill, numRuns) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(transaction, { maxLength: 10, size: 'max' }),
      fc.array(action, { maxLength: 60, size: 'max' }),
      fc.array(fc.nat(7), { minLength: 1, maxLength: 40, size: 'max' }),
      async (before, actions, pauses) => {
        const database = new ModelDatabase();
        for (const steps of before) database.commit(steps);
        database.visible = Math.max(0, database.log.length - 2);
        let tick = 0;
        const pause = async (): Promise<number> => {
          tick += 1;
          const size = pauses[tick % pauses.length] ?? 0;
          for (let turns = size % 4; turns >= 0; turns--) await turn();
          return size;
        };
        const initial: CheckpointState = {
          writerEpoch: 1,
          resume: String(database.visible) as CheckpointState['resume'],
          tables: { [table]: { state: 'snapshotting', progress: startProgress('initial', 0) } },
          topics: {},
        };
        const world: World = {
          database,
          pause,
          checkpoint: initial,
          run: await start(database, initial, pause, skipBackfill),
          skipBackfill,
          topic: [],
          crashes: 0,
        };
        for (const { kind, ...rest } of actions) {
          if (kind === 'commit' && 'steps' in rest) database.commit(rest.steps);
          else if (kind === 'visible') database.visible = database.log.length;
          else if (kind === 'acknowledge') world.run.topic.acknowledge();
          else if (kind === 'wake') world.run.pipeline.wake();
          else await restart(world, kind === 'crash-after-write');
          const durable = world.run.pipeline.durable();
          if (durable !== undefined) world.checkpoint = durable;
          await turn();
        }
        await settle(world);
        world.run.stop.abort();
        await world.run.ended;
        world.topic.push(...world.run.topic.topic);
        expect([...replay(world.topic).entries()].sort((a, b) => a[0] - b[0])).toEqual(
          [...database.rows().entries()].sort((a, b) => a[0] - b[0]),
        );
        // Without backfill the log repeats older versions after the row of a chunk.
        expect(skipBackfill || world.crashes > 0 || historyRises(world.topic)).toBe(true);
      },
    ),
    { numRuns },
  );
});
