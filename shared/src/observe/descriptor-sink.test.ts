import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { DescriptorSink } from './descriptor-sink.ts';

test('lines arrive whole and in order', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'millrace-sink-')), 'log');
  const descriptor = openSync(path, 'w');
  const sink = new DescriptorSink(descriptor);
  const lines = Array.from({ length: 1000 }, (_, i) => `line ${i} ü\n`);
  for (const line of lines) sink.write(line);
  await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toBe(lines.join('')));
  closeSync(descriptor);
});

test('a full disk costs lines and nothing else, and memory stays bounded', async () => {
  const descriptor = openSync('/dev/full', 'w');
  const sink = new DescriptorSink(descriptor);
  const line = `${'x'.repeat(9999)}\n`;
  for (let i = 0; i < 300; i++) sink.write(line);
  expect(sink.dropped).toBeGreaterThan(100);
  await vi.waitFor(() => {
    const before = sink.dropped;
    sink.write(line);
    expect(sink.dropped).toBe(before);
  });
  closeSync(descriptor);
});
