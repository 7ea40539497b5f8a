import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, test } from 'vitest';

import type { CommitStep } from '@millrace/ingest/lakehouse/options.ts';
import { readTable } from '@millrace/ingest/lakehouse/testing/read-table.ts';

import { eventually } from '../harness/eventually.ts';
import { scratchFolder } from '../harness/scratch-folder.ts';
import { stateAt } from './lake-member.ts';
import type { MemberScript } from './lake-member.ts';
import { openLakeReaders } from './lake-readers.ts';
import type { LakeReaders } from './lake-readers.ts';

const memberScript = fileURLToPath(new URL('lake-member.ts', import.meta.url));
const children: ChildProcess[] = [];
let readers: LakeReaders;

beforeAll(() => {
  readers = openLakeReaders();
});
afterAll(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await readers[Symbol.asyncDispose]();
});

interface Running {
  readonly child: ChildProcess;
  /** The last line's outcome, `killed` when a signal ended it. */
  readonly outcome: Promise<string>;
}

function start(script: MemberScript): Running {
  const child = spawn(process.execPath, [memberScript, JSON.stringify(script)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const exited = once(child, 'exit');
  const outcome = Promise.all([text(child.stdout), exited]).then(([output, [, signal]]) => {
    if (signal !== null) return 'killed';
    return (JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as { outcome: string }).outcome;
  });
  return { child, outcome };
}

interface Found {
  readonly rows: readonly (readonly [number, number])[];
  readonly nextOffset: number;
}

/** The table as our audit reads it, with the offset it claims to have reached. */
async function found(directory: string, partition: number): Promise<Found> {
  const { rows, faults, metadata } = await readTable(directory);
  expect(faults).toEqual([]);
  const offsets = JSON.parse(metadata.properties['millrace.offsets.test'] ?? '{}') as Record<
    string,
    Record<string, number>
  >;
  const own = rows.map((row) => [Number(row['id']), Number(row['v'])] as const).filter(([id]) => id % 10 === partition);
  return { rows: own.sort((a, b) => a[0] - b[0]), nextOffset: offsets['t']?.[String(partition)] ?? 0 };
}

function expected(partition: number, offset: number): [number, number][] {
  return [...stateAt(partition, offset)].sort((a, b) => a[0] - b[0]);
}

const steps: readonly CommitStep[] = [
  'data-written',
  'puffin-written',
  'manifests-written',
  'temporary-written',
  'linked',
  'directory-synced',
  'hint-replaced',
];

test(
  'killed at every step of a commit, 56 times, the table is always what its offset says',
  { timeout: 300_000 },
  async () => {
    await using folder = await scratchFolder();
    const directory = `${folder.path}/shop/orders`;
    const script = { warehouse: folder.path, partition: 0, until: 100_000 };
    await start({ ...script, until: 1, fault: null }).outcome;
    let reached = 1;
    for (let round = 0; round < 56; round++) {
      const step = steps[round % steps.length] as CommitStep;
      const { outcome } = start({ ...script, fault: { step, occurrence: 1 + (round % 3), signal: 'SIGKILL' } });
      expect(await outcome).toBe('killed');
      const { rows, nextOffset } = await found(directory, 0);
      expect(rows).toEqual(expected(0, nextOffset));
      expect(nextOffset).toBeGreaterThanOrEqual(reached);
      reached = nextOffset;
      if (round % 14 !== 13) continue;
      // A stale hint may show engines the version before; it is repaired by the next start.
      await start({ ...script, until: reached, fault: null }).outcome;
      const texts = expected(0, reached).map(([id, v]) => ({ id: String(id), v: String(v) }));
      const read = await readers.read(directory, 'id');
      expect(read.duckdb).toEqual(texts);
      expect(read.pyiceberg).toEqual(texts);
    }
    expect(reached).toBeGreaterThan(56);
  },
);

test('a process that was frozen inside a commit finds its partition taken and changes nothing (T141)', async () => {
  await using folder = await scratchFolder();
  const directory = `${folder.path}/shop/orders`;
  const script = { warehouse: folder.path, partition: 0 };
  for (const [round, step] of (['data-written', 'manifests-written', 'temporary-written'] as const).entries()) {
    const target = (round + 1) * 10;
    const frozen = start({ ...script, until: target, fault: { step, occurrence: 3, signal: 'SIGSTOP' } });
    await eventually('the process stops', async () =>
      (await readFile(`/proc/${frozen.child.pid}/stat`, 'latin1')).includes(') T '),
    );
    expect(await start({ ...script, until: target, fault: null }).outcome).toBe('done');
    const before = await found(directory, 0);
    frozen.child.kill('SIGCONT');
    expect(await frozen.outcome).toBe('DESTINATION_FENCED');
    expect(await found(directory, 0)).toEqual(before);
    expect(before).toEqual({ rows: expected(0, target), nextOffset: target });
  }
});

test('two members that own different partitions race for every version and lose nothing', async () => {
  await using folder = await scratchFolder();
  const directory = `${folder.path}/shop/orders`;
  await start({ warehouse: folder.path, partition: 0, until: 1, fault: null }).outcome;
  const running = [0, 1].map((partition) => start({ warehouse: folder.path, partition, until: 40, fault: null }));
  expect(await Promise.all(running.map(({ outcome }) => outcome))).toEqual(['done', 'done']);
  for (const partition of [0, 1]) {
    expect(await found(directory, partition)).toEqual({ rows: expected(partition, 40), nextOffset: 40 });
  }
  const both = [...expected(0, 40), ...expected(1, 40)].sort((a, b) => a[0] - b[0]);
  const texts = both.map(([id, v]) => ({ id: String(id), v: String(v) }));
  const read = await readers.read(directory, 'id');
  expect(read.duckdb).toEqual(texts);
  expect(read.pyiceberg).toEqual(texts);
});

test('of two members that claim the same partition the later one wins and the other is told', async () => {
  await using folder = await scratchFolder();
  const script = { warehouse: folder.path, partition: 0, until: 60, fault: null };
  await start({ ...script, until: 1 }).outcome;
  const first = start(script);
  await once(first.child.stdout ?? first.child, 'data');
  const second = start(script);
  expect(await Promise.all([first.outcome, second.outcome])).toEqual(['DESTINATION_FENCED', 'done']);
  expect(await found(`${folder.path}/shop/orders`, 0)).toEqual({ rows: expected(0, 60), nextOffset: 60 });
});
