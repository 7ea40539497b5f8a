import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync } from 'node:fs';
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

test('a full pipe is waited for without blocking, and no line is torn', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'millrace-sink-')), 'pipe');
  execFileSync('mkfifo', [path]);
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const sink = new DescriptorSink(descriptor);
  const lines = Array.from({ length: 50 }, (_, i) => `${i} ${'x'.repeat(9999)}\n`);
  for (const line of lines) sink.write(line);
  const expected = lines.join('');
  const piece = Buffer.alloc(10_007);
  let received = '';
  await vi.waitFor(
    () => {
      received += piece.toString('latin1', 0, readSync(descriptor, piece));
      expect(received.length).toBe(expected.length);
    },
    { interval: 1, timeout: 5000 },
  );
  expect(received).toBe(expected);
  closeSync(descriptor);
});
