import { openLakehouseDestination } from '@millrace/ingest/lakehouse/lakehouse-destination.ts';
import type { CommitStep } from '@millrace/ingest/lakehouse/options.ts';
import {
  column,
  laneBatch,
  schemaOf,
  silentLog,
  tableBatch,
  testOptions,
} from '@millrace/ingest/lakehouse/testing/batches.ts';

/**
 * A member of an ingest group as a process of its own, for tests that stop or kill it: claims one partition and
 * commits the batches that follow the stored offset. Prints one JSON line per commit and one at the end.
 */

export interface MemberScript {
  readonly warehouse: string;
  readonly partition: number;
  /** Commits batches up to this offset. */
  readonly until: number;
  /** Sends itself `signal` when it reaches `step` for the `occurrence`-th time. */
  readonly fault: {
    readonly step: CommitStep;
    readonly occurrence: number;
    readonly signal: 'SIGKILL' | 'SIGSTOP';
  } | null;
}

const keysPerPartition = 50;

/** Upserts and deletes of the batch at an offset: keys of one partition, chosen by arithmetic so that tests can replay it. */
export function batchAt(partition: number, offset: number) {
  const keyOf = (n: number): number => (n % keysPerPartition) * 10 + partition;
  const upserts = Array.from({ length: 12 }, (_, i) => keyOf(offset * 7 + i * 3));
  const deletes = Array.from({ length: 3 }, (_, i) => keyOf(offset * 5 + i * 11)).filter(
    (key) => !upserts.includes(key),
  );
  return { upserts: [...new Set(upserts)], deletes: [...new Set(deletes)] };
}

/** What the table holds of a partition after the batches below `offset`: key → offset of the batch that wrote it. */
export function stateAt(partition: number, offset: number): Map<number, number> {
  const state = new Map<number, number>();
  for (let at = 0; at < offset; at++) {
    const { upserts, deletes } = batchAt(partition, at);
    for (const key of upserts) state.set(key, at);
    for (const key of deletes) state.delete(key);
  }
  return state;
}

const schema = schemaOf('orders', ['id'], [column('id', 'BIGINT'), column('v', 'INT')]);

async function main(script: MemberScript): Promise<void> {
  const { signal } = new AbortController();
  let reached = 0;
  let armed = false;
  const onStep = (step: CommitStep): void => {
    if (!armed || script.fault === null || step !== script.fault.step) return;
    reached++;
    if (reached === script.fault.occurrence) process.kill(process.pid, script.fault.signal);
  };
  const destination = await openLakehouseDestination(testOptions(script.warehouse), silentLog, { onStep });
  const lane = await destination.openLane(0, signal);
  const [claimed] = await lane.claim([{ topic: 't', partition: script.partition, firstOffset: 0n }], signal);
  armed = true;
  for (let offset = Number(claimed?.nextOffset ?? 0n); offset < script.until; offset++) {
    const { upserts, deletes } = batchAt(script.partition, offset);
    const table = tableBatch(
      schema,
      upserts.map((id) => ({ text: `{"id":${id},"v":${offset}}`, partition: 0 })),
      deletes.map((id) => ({ text: `{"id":${id}}`, partition: 0 })),
    );
    const batch = laneBatch([table], BigInt(offset), BigInt(offset + 1));
    const partitions = batch.partitions.map((range) => ({ ...range, partition: script.partition }));
    await lane.commit({ ...batch, partitions }, signal);
    process.stdout.write(`${JSON.stringify({ committed: offset })}\n`);
  }
  await destination[Symbol.asyncDispose]();
}

if (process.argv[2] !== undefined) {
  const outcome = await main(JSON.parse(process.argv[2]) as MemberScript).then(
    () => 'done',
    (error: { readonly code?: string; readonly message: string }) => error.code ?? error.message,
  );
  process.stdout.write(`${JSON.stringify({ outcome })}\n`);
}
