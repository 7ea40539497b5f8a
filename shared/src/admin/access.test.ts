import { expect, test } from 'vitest';
import { isLoopback } from './access.ts';

test.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', 'localhost'])('%s is this machine', (host) => {
  expect(isLoopback(host)).toBe(true);
});

test.each(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', '::ffff:10.0.0.1', ''])('"%s" is not', (host) => {
  expect(isLoopback(host)).toBe(false);
});
