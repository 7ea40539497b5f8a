import { describe, expect, it } from 'vitest';

import { Findings } from './problem.ts';
import { upperSnakeCase, Variables } from './variables.ts';
import type { VariableSources } from './variables.ts';

function variables(sources: Partial<VariableSources> & { readonly files?: Readonly<Record<string, string>> }) {
  const findings = new Findings();
  const found = new Variables(
    {
      sets: [],
      varsFiles: [],
      secretsDir: null,
      environment: {},
      readFile: (path) => {
        const text = sources.files?.[path];
        if (text === undefined) throw new Error('ENOENT');
        return text;
      },
      ...sources,
    },
    findings,
  );
  return { found, findings };
}

describe('resolution of placeholders', () => {
  it.each([
    ['mysql.port', 'MYSQL_PORT'],
    ['kafka.bootstraps.server', 'KAFKA_BOOTSTRAPS_SERVER'],
    ['secret_values.mysql.hostname', 'SECRET_VALUES_MYSQL_HOSTNAME'],
    ['a.-b', 'A_B'],
  ])('looks for %s as %s', (name, environmentName) => {
    expect(upperSnakeCase(name)).toBe(environmentName);
  });

  it('prefers --set, then --vars, then the exact environment name, then upper snake case', () => {
    const files = { 'v.yaml': 'a: {b: vars}' };
    const environment: Record<string, string> = { 'a.b': 'exact', A_B: 'upper' };
    const all = { files, environment, sets: ['a.b=set'], varsFiles: ['v.yaml'] };
    expect(variables(all).found.variable('a.b')).toEqual({ text: 'set', secret: false });
    expect(variables({ ...all, sets: [] }).found.variable('a.b')).toEqual({ text: 'vars', secret: false });
    expect(variables({ environment }).found.variable('a.b')).toEqual({ text: 'exact', secret: false });
    expect(variables({ environment: { A_B: 'upper' } }).found.variable('a.b')).toEqual({
      text: 'upper',
      secret: false,
    });
  });

  it('reads YAML, JSON and .env files, the later one winning', () => {
    const files = {
      'a.yaml': 'mysql:\n  port: 3306\n  host: yaml',
      'b.json': '{"mysql": {"host": "json", "big": 12345678901234567890}}',
      'prod.env': 'MYSQL_USER=dotenv\n# no\nQUOTED="a b"\n',
    };
    const { found } = variables({ files, varsFiles: ['a.yaml', 'b.json', 'prod.env'] });
    expect(found.variable('mysql.port')).toMatchObject({ text: '3306' });
    expect(found.variable('mysql.host')).toMatchObject({ text: 'json' });
    expect(found.variable('mysql.big')).toMatchObject({ text: '12345678901234567890' });
    expect(found.variable('MYSQL_USER')).toMatchObject({ text: 'dotenv' });
    expect(found.variable('QUOTED')).toMatchObject({ text: 'a b' });
  });

  it('finds secret_values by its own name, by the rest of the name, and as a file', () => {
    const files = { '/run/secrets/mysql.password': 'from file\n' };
    const secretsDir = '/run/secrets/';
    const name = 'secret_values.mysql.password';
    const environment = { MYSQL_PASSWORD: 'rest', SECRET_VALUES_MYSQL_PASSWORD: 'whole' };
    expect(variables({ files, secretsDir, environment }).found.variable(name)).toEqual({ text: 'whole', secret: true });
    const rest = { MYSQL_PASSWORD: 'rest' };
    expect(variables({ files, secretsDir, environment: rest }).found.variable(name)).toEqual({
      text: 'rest',
      secret: true,
    });
    expect(variables({ files, secretsDir }).found.variable(name)).toEqual({ text: 'from file', secret: true });
  });

  it('lists everything that would have satisfied a name', () => {
    expect(variables({}).found.variable('secret_values.mysql.host')).toEqual({
      candidates: [
        '--set secret_values.mysql.host=…',
        'SECRET_VALUES_MYSQL_HOST',
        'MYSQL_HOST',
        'file mysql.host in --secrets-dir',
      ],
    });
  });

  it('counts an empty value as resolved', () => {
    expect(variables({ environment: { X: '' } }).found.variable('x')).toEqual({ text: '', secret: false });
  });

  it('takes everything after the first = of --set', () => {
    expect(variables({ sets: ['a=b=c'] }).found.variable('a')).toMatchObject({ text: 'b=c' });
  });

  it('reads files as secrets, without the last newline only', () => {
    const { found } = variables({ files: { pw: 'a\n\n' } });
    expect(found.file('pw')).toEqual({ text: 'a\n', secret: true });
    expect(found.file('gone')).toEqual({ candidates: ['file gone'] });
  });

  it('reports vars files that are missing or no map, and a --set without =', () => {
    const { findings } = variables({ files: { 'l.yaml': '- a' }, varsFiles: ['l.yaml', 'gone'], sets: ['novalue'] });
    expect(findings.problems.map((problem) => problem.kind).toSorted()).toEqual(['syntax', 'unresolved', 'yaml']);
  });
});
