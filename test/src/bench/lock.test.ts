import { existsSync, writeFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { scratchFolder } from '../harness/scratch-folder.ts';
import { takeBenchLock } from './lock.ts';

test('while one benchmark runs another is refused, and free to run after it', async () => {
  await using folder = await scratchFolder();
  const path = `${folder.path}/lock`;
  {
    using _lock = takeBenchLock(path);
    expect(() => takeBenchLock(path)).toThrow(`pid ${process.pid}`);
  }
  expect(existsSync(path)).toBe(false);
});

test('the lock of a process that is gone is taken over', async () => {
  await using folder = await scratchFolder();
  const path = `${folder.path}/lock`;
  writeFileSync(path, String(2 ** 30));
  using _lock = takeBenchLock(path);
  expect(existsSync(path)).toBe(true);
});
