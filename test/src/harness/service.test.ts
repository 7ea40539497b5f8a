import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchFolder } from './scratch-folder.ts';
import { Service } from './service.ts';

async function script(folder: string, source: string): Promise<string> {
  const path = join(folder, 'program.mjs');
  await writeFile(path, source);
  return path;
}

test('a line is found whether it was written before or after the wait began', async () => {
  await using folder = await scratchFolder();
  const path = await script(folder.path, `console.error('first'); setTimeout(() => console.error('second 2'), 50);`);
  await using service = new Service(path, []);
  expect(await service.line(/second \d/)).toBe('second 2');
  expect(await service.line('first')).toBe('first');
  expect(await service.exit()).toEqual({ code: 0, signal: null });
});

test('waiting for a line fails with the log when the program ends without it', async () => {
  await using folder = await scratchFolder();
  const path = await script(folder.path, `console.error('the reason'); process.exitCode = 3;`);
  await using service = new Service(path, []);
  await expect(service.line('ready')).rejects.toThrow('the reason');
  expect(await service.exit()).toEqual({ code: 3, signal: null });
});

test('kill -9 ends a program that ignores the polite signal', async () => {
  await using folder = await scratchFolder();
  const path = await script(
    folder.path,
    `process.on('SIGTERM', () => console.error('ignored')); setInterval(() => {}, 1000); console.error('up');`,
  );
  await using service = new Service(path, []);
  await service.line('up');
  service.signal('SIGTERM');
  await service.line('ignored');
  expect(service.running).toBe(true);
  expect(await service.kill()).toEqual({ code: null, signal: 'SIGKILL' });
  expect(service.running).toBe(false);
});
