import { describe, expect, it } from 'vitest';

import { CdcError } from '../errors/cdc-error.ts';
import { parseCommandLine, usage, withOverrides } from './command-line.ts';
import { loadText, plainCapture } from './sample-documents.ts';

function errors(...args: readonly string[]): readonly string[] {
  try {
    parseCommandLine(args);
  } catch (error) {
    if (error instanceof CdcError && error.code === 'CONFIG_INVALID')
      return error.details['errors'] as readonly string[];
    throw error;
  }
  throw new Error('the command line is valid');
}

describe('command line', () => {
  it('reads a verb, files and options in any order', () => {
    const line = parseCommandLine([
      '--set',
      'a=b=c',
      'validate',
      'one.yaml',
      '--strict',
      '--vars=v.env',
      'two.yaml',
      '--set=x=',
      '--secrets-dir',
      '/run/secrets',
      '--json',
      '--no-color',
    ]);
    expect(line).toEqual({
      verb: 'validate',
      files: ['one.yaml', 'two.yaml'],
      sets: ['a=b=c', 'x='],
      varsFiles: ['v.env'],
      secretsDir: '/run/secrets',
      json: true,
      color: false,
      strict: true,
      logLevel: null,
      metricsPort: null,
      stateDir: null,
      fromScratch: false,
      untilIdle: false,
      help: false,
    });
  });

  it('reads what overrules the document', () => {
    const line = parseCommandLine([
      'run',
      'f',
      '--log-level',
      'DEBUG',
      '--metrics-port',
      '-1',
      '--state-dir',
      's',
      '--from-scratch',
      '--until-idle',
    ]);
    expect(line).toMatchObject({
      logLevel: 'debug',
      metricsPort: -1,
      stateDir: 's',
      fromScratch: true,
      untilIdle: true,
    });
    const { pipeline } = loadText(plainCapture);
    expect(withOverrides(pipeline, line).runtime).toMatchObject({
      logLevel: 'debug',
      stateDir: 's',
      metrics: { port: null },
    });
    expect(withOverrides(pipeline, parseCommandLine(['run', 'f']))).toEqual(pipeline);
    const zero = withOverrides(pipeline, parseCommandLine(['run', 'f', '--metrics-port=0']));
    expect(zero.runtime.metrics).toMatchObject({ port: 0, portIsDefault: false });
  });

  it('shows help without a verb', () => {
    expect(parseCommandLine(['-h'])).toMatchObject({ verb: null, help: true });
    expect(parseCommandLine(['run', '--help'])).toMatchObject({ verb: 'run', help: true });
    expect(usage('millrace-capture')).toContain('Usage: millrace-capture <verb>');
  });

  it.each([
    [[], ['missing: a verb, one of run, validate, plan']],
    [['rum', 'f'], ["'rum'  unknown-key: not a verb: run, validate, plan are  (nearest: run)"]],
    [['run'], ['missing: a pipeline document for run']],
    [['plan', 'a', 'b'], ['conflict: plan takes one document']],
    [['run', 'f', '--sett', 'a=b'], ['--sett  unknown-key: not an option  (nearest: --set)']],
    [['run', 'f', '--strict'], ['--strict  conflict: belongs to validate']],
    [['validate', 'f', '--until-idle'], ['--until-idle  conflict: belongs to run']],
    [['run', 'f', '--set', 'ab'], ['--set  syntax: expected name=value']],
    [['run', 'f', '--json=yes'], ['--json  type: takes no value']],
    [['run', 'f', '--state-dir', 'a', '--state-dir', 'b'], ['--state-dir  duplicate: given twice']],
    [
      ['run', 'f', '--log-level', 'loud', '--metrics-port', '70000'],
      [
        '--log-level  enum: expected one of trace, debug, info, warn, error, fatal',
        '--metrics-port  range: expected an integer from -1 to 65535',
      ],
    ],
    [['run', 'f', '--vars'], ['--vars  missing: its value']],
  ])('refuses %j', (args, expected) => {
    expect(errors(...args)).toEqual(expected);
  });

  it('is a usage error with exit code 2', () => {
    expect(() => parseCommandLine(['run'])).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', policy: expect.objectContaining({ exitCode: 2 }) }),
    );
  });
});
