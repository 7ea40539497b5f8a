import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { FileCheckpointStore } from './file-checkpoint-store.ts';

const signal = new AbortController().signal;

test('what was saved last is loaded, by another instance too, and no temporary file stays', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-checkpoint-'));
  try {
    await using store = new FileCheckpointStore(join(directory, 'state'), 'shop/orders');
    expect(await store.load(signal)).toBeNull();
    await store.save('{"a":1}', signal);
    await store.save('{"a":2}', signal);
    await using again = new FileCheckpointStore(join(directory, 'state'), 'shop/orders');
    expect(await again.load(signal)).toBe('{"a":2}');
    expect(await readdir(join(directory, 'state'))).toEqual(['shop%2Forders.checkpoint.json']);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('an unwritable directory is reported with its code', async () => {
  await using store = new FileCheckpointStore('/dev/null/state', 'p');
  await expect(store.save('x', signal)).rejects.toMatchObject({ code: 'CHECKPOINT_UNWRITABLE' });
});
