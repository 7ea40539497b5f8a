import { describe, expect, it } from 'vitest';

import { kafkaSinkDeclarations } from './blocks/kafka-sink-declarations.ts';
import { kafkaSourceDeclarations } from './blocks/kafka-source-declarations.ts';
import { lakehouseSinkDeclarations } from './blocks/lakehouse-sink-declarations.ts';
import { mysqlSourceDeclarations } from './blocks/mysql-source-declarations.ts';
import { postgresSinkDeclarations } from './blocks/postgres-sink-declarations.ts';
import { runtimeDeclarations } from './blocks/runtime.ts';
import { routeDeclarations, transformDeclarations } from './blocks/transform.ts';
import { readOption } from './declare/option-type.ts';
import type { Declarations, Option } from './declare/option.ts';
import { CdcError } from '../errors/cdc-error.ts';
import { loadText, plainCapture, plainLakehouse, plainPostgres, withLines } from './sample-documents.ts';
import { renderValidation } from './validation-error.ts';

interface Table {
  readonly name: string;
  readonly declarations: Declarations;
  readonly document: string;
  readonly block: 'source' | 'sink' | 'pipeline';
}

const tables: readonly Table[] = [
  { name: 'mysql source', declarations: mysqlSourceDeclarations, document: plainCapture, block: 'source' },
  { name: 'kafka sink', declarations: kafkaSinkDeclarations, document: plainCapture, block: 'sink' },
  { name: 'kafka source', declarations: kafkaSourceDeclarations, document: plainPostgres, block: 'source' },
  { name: 'postgres sink', declarations: postgresSinkDeclarations, document: plainPostgres, block: 'sink' },
  { name: 'lakehouse sink', declarations: lakehouseSinkDeclarations, document: plainLakehouse, block: 'sink' },
  { name: 'pipeline', declarations: runtimeDeclarations, document: plainCapture, block: 'pipeline' },
];

const rules: readonly Table[] = [
  { name: 'transform', declarations: transformDeclarations, document: plainCapture, block: 'pipeline' },
  { name: 'route', declarations: routeDeclarations, document: plainCapture, block: 'pipeline' },
];

/** Everything that loading says: the error text, or the warnings. */
function said(text: string, environment: Readonly<Record<string, string>>): string {
  try {
    return loadText(text, { environment }).warnings.join('\n');
  } catch (error) {
    if (error instanceof CdcError) return renderValidation(error);
    throw error;
  }
}

const environment = { PASSWORD: 'pw' };

/** A name that a pattern stands for, and the document without what it would collide with. */
function given(table: Table, name: string, value: string): string {
  const key = name.replace(/\*$/, 'something');
  const cleared = table.document.replace(
    new RegExp(String.raw`^  ${key.replaceAll('.', String.raw`\.`)}: .*\n`, 'm'),
    '',
  );
  return withLines(cleared, table.block, `${key}: ${value}`);
}

function entries(
  wanted: (option: Option<unknown>) => boolean,
  from = tables,
): readonly (readonly [string, Table, Option<unknown>])[] {
  return from.flatMap((table) =>
    Object.entries(table.declarations)
      .filter(([, option]) => wanted(option))
      .map(([name, option]) => [name, table, option] as const),
  );
}

describe('declarations', () => {
  it('have defaults that their own types accept', () => {
    for (const [name, table, option] of entries(({ default: value }) => value !== null, [...tables, ...rules])) {
      const { type, default: value } = option;
      expect(type !== null && value !== null && readOption(type, value).ok, `${table.name} ${name}`).toBe(true);
    }
  });

  it('never use one spelling for two options', () => {
    for (const table of [...tables, ...rules]) {
      const spellings = Object.entries(table.declarations).flatMap(([name, { aliases }]) => [name, ...aliases]);
      expect(spellings.filter((spelling, index) => spellings.indexOf(spelling) !== index)).toEqual([]);
    }
  });

  it.each(entries(({ presence }) => presence === 'without-effect'))(
    'N: %s warns and says why',
    (name, table, option) => {
      expect(said(given(table, name, 'x'), environment)).toContain(`has no effect: ${option.doc}`);
    },
  );

  it.each(entries(({ presence }) => presence === 'refused'))(
    'R: %s is refused with the reason',
    (name, table, option) => {
      expect(said(given(table, name, 'x'), environment)).toContain(`unsupported: ${option.doc}`);
    },
  );

  it.each(entries(({ notes }) => Object.keys(notes).length > 0))(
    '%s: every noted value says why',
    (name, table, option) => {
      for (const [value, note] of Object.entries(option.notes)) {
        const prefix = note.as === 'refused' ? 'unsupported: ' : 'has no effect: ';
        expect(said(given(table, name, value), environment)).toContain(prefix + note.reason);
      }
    },
  );

  it.each(entries(({ later }) => later !== null))(
    'not in this version: %s is refused, its default is not',
    (name, table, option) => {
      const label = option.type?.label ?? 'text';
      const choices: readonly string[] = label.startsWith('bool')
        ? ['true', 'false']
        : label.startsWith('int')
          ? ['5']
          : [...label.split(', '), 'x'];
      const other = choices.find(
        (choice) => choice !== option.default && (option.type === null || readOption(option.type, choice).ok),
      );
      expect(said(given(table, name, other ?? 'x'), environment)).toContain(`unsupported: ${option.later}`);
      const fallback = option.default === null || option.default === '' ? null : given(table, name, option.default);
      expect(said(fallback ?? table.document, environment)).not.toContain('unsupported');
    },
  );

  it.each(entries(() => true))('%s never shows a secret', (name, table) => {
    const text = given(table, name, '${secret_values.canary}');
    // Of no type, of the form of a name, and a selector that is remarked on.
    const canaries = ['Zq7-canary: [{x', 'Zq7.canary', String.raw`Zq7\.canary`];
    const all = canaries.map((canary) => said(text, { ...environment, CANARY: canary })).join('\n');
    expect(all).not.toContain('Zq7');
  });

  it.each(['source-table', 'projection', 'filter', 'primary-keys', 'sink-table'])(
    '%s of a rule never shows a secret',
    (key) => {
      const canary = 'Zq7-canary(: [{x$9';
      for (const part of ['transform', 'route']) {
        const text = `${plainCapture}${part}:\n  - source-table: a.b\n    ${key}: \${secret_values.canary}\n`.replace(
          key === 'source-table' ? '- source-table: a.b\n    ' : 'NOTHING',
          '- ',
        );
        expect(said(text, { ...environment, CANARY: canary })).not.toContain('Zq7');
      }
    },
  );
});
