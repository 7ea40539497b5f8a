import { expect, test, vi } from 'vitest';
import type { LogLevel } from '../config/runtime-options.ts';
import { CdcError } from '../errors/cdc-error.ts';
import { createLogger } from './logger.ts';
import type { Logger, LoggerOptions } from './logger.ts';

function logging(options: Partial<LoggerOptions> = {}): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const sink = { write: (line: string): void => void lines.push(line) };
  return { logger: createLogger({ level: 'info' satisfies LogLevel, terminal: false, sink, ...options }), lines };
}

function parsed(line: string | undefined): Record<string, unknown> {
  return JSON.parse(line ?? '') as Record<string, unknown>;
}

test('a line is JSON with time, level, msg and the inherited fields', () => {
  const { logger, lines } = logging({ fields: { pipeline: 'shop' } });
  logger
    .child({ component: 'binlog' })
    .info('snapshot started', { table: 'shop.orders', offset: 9_007_199_254_740_993n });
  expect(parsed(lines[0])).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    level: 'info',
    msg: 'snapshot started',
    pipeline: 'shop',
    component: 'binlog',
    table: 'shop.orders',
    offset: '9007199254740993',
  });
  expect(lines[0]?.endsWith('\n')).toBe(true);
});

test('an error of ours carries code, details and hint', () => {
  const { logger, lines } = logging();
  logger.error('pipeline stopped', {
    error: new CdcError('SOURCE_POSITION_LOST', 'gone', { details: { needed: 'a:4' } }),
  });
  expect(parsed(lines[0])).toMatchObject({
    code: 'SOURCE_POSITION_LOST',
    err: { message: 'gone', details: { needed: 'a:4' }, hint: expect.stringContaining('snapshot') },
  });
});

test('foreign messages, which may quote row values, stay out; their codes stay in', () => {
  const { logger, lines } = logging();
  const cause = Object.assign(new Error("Duplicate entry 'ada@example.org' for key 'email'"), { code: 'ER_DUP_ENTRY' });
  logger.warn('write failed', { error: new CdcError('DESTINATION_WRITE_REJECTED', 'refused', { cause }) });
  expect(lines[0]).not.toContain('ada@example.org');
  expect(parsed(lines[0])).toMatchObject({ err: { cause: { code: 'ER_DUP_ENTRY' } } });
});

test('failed system calls keep their message: it names the address', () => {
  const { logger, lines } = logging();
  const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:3306'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  });
  logger.warn('no connection', { error: new CdcError('SOURCE_CONNECTION_LOST', 'lost', { cause }) });
  expect(lines[0]).toContain('connect ECONNREFUSED 127.0.0.1:3306');
});

test('secrets are masked by name, in URLs and by their exact text', () => {
  const { logger, lines } = logging({ secrets: ['s3cr"et'] });
  logger.info('connecting', {
    url: 'mysql://shop:hunter2@db:3306/x',
    options: { password: 'hunter2', 'sasl.jaas.config': 'hunter2', user: 'shop' },
    note: 'the server said s3cr"et',
  });
  expect(lines[0]).not.toMatch(/hunter2|s3cr/);
  expect(parsed(lines[0])).toMatchObject({
    url: 'mysql://shop:***@db:3306/x',
    options: { password: '***', 'sasl.jaas.config': '***', user: 'shop' },
    note: 'the server said ***',
  });
});

test('a level below the chosen one writes nothing', () => {
  const { logger, lines } = logging({ level: 'warn' });
  logger.info('not this');
  logger.warn('this');
  expect(lines.map((line) => parsed(line)['msg'])).toEqual(['this']);
});

test('a repeatable warning is one line each ten seconds, with the count', () => {
  vi.useFakeTimers();
  try {
    const { logger, lines } = logging();
    for (let i = 1; i <= 5; i++) logger.repeatable('broker slow', { attempt: i });
    vi.advanceTimersByTime(10_000);
    expect(lines.map((line) => [parsed(line)['attempt'], parsed(line)['count']])).toEqual([
      [1, undefined],
      [5, 4],
    ]);
  } finally {
    vi.useRealTimers();
  }
});

test('on a terminal a line is text with its fields, the error and the fix', () => {
  const { logger, lines } = logging({ terminal: true, fields: { component: 'supervisor' } });
  logger.error('pipeline stopped', {
    table: 'shop.orders',
    error: new CdcError('SOURCE_AUTH_FAILED', 'access denied', { details: { user: 'shop' }, hint: 'GRANT it.' }),
  });
  expect(lines[0]?.replace(/^[\d:.]+/, 'TIME')).toBe(
    [
      'TIME ERROR [supervisor] pipeline stopped  table=shop.orders  code=SOURCE_AUTH_FAILED',
      '    SOURCE_AUTH_FAILED  access denied',
      '      user       shop',
      '      fix        GRANT it.',
      '',
    ].join('\n'),
  );
});
