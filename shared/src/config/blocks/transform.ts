import { readBlock } from '../declare/block.ts';
import type { Block, BlockSource } from '../declare/block.ts';
import { grammar, text } from '../declare/option-type.ts';
import type { OptionType } from '../declare/option-type.ts';
import { defaulted, notYet, optional, required } from '../declare/option.ts';
import { selectors } from '../declare/selector-type.ts';
import { parseColumnNames, parseProjection } from '../projection.ts';
import { parsed } from '../parsed.ts';
import { parseTableSelectors } from '../table-selectors.ts';
import { parseRouteRule } from '../route-table.ts';
import type { RouteRule } from '../route-table.ts';
import type { TransformRule } from '../transform-rule.ts';

/** One entry of `transform`. */
export const transformDeclarations = {
  'source-table': required(selectors(1), { doc: 'Tables that the rule is for; the first rule that matches applies' }),
  projection: defaulted(grammar('select list', parseProjection, { separator: ',' }), '\\*', {
    doc: '`\\*` for all columns, or the columns to keep; computed columns are not in this version',
  }),
  filter: optional(text(), { doc: 'Condition', later: `filters: ${notYet}` }),
  'primary-keys': optional(grammar('list of columns', parseColumnNames, { separator: ',' }), {
    doc: "Replaces the source's key",
  }),
  'partition-keys': optional(grammar('list of columns', parseColumnNames, { separator: ',' }), {
    doc: 'Partition columns of a lakehouse',
  }),
  'table-options': optional(text(), { doc: 'Table properties', status: 'D', later: `table options: ${notYet}` }),
  'table-options.delimiter': defaulted(text(), ',', { doc: 'Between table options' }),
  description: optional(text({ allowEmpty: true }), { doc: 'For people' }),
  'converter-after-transform': optional(text(), {
    doc: 'SOFT_DELETE',
    status: 'D',
    later: `converters: ${notYet}`,
  }),
};

/** Checked as selectors; the rule compiles it once more, as OSS reads it. */
const routeSource: OptionType<string> = grammar(
  'selectors',
  (given) => {
    const tables = parseTableSelectors(given);
    return tables.ok ? parsed(given) : tables;
  },
  {
    separator: ',',
    remarks: (given) => {
      const tables = parseTableSelectors(given);
      return tables.ok ? tables.value.relaxed : [];
    },
  },
);

/** One entry of `route`. */
export const routeDeclarations = {
  'source-table': required(routeSource, { doc: 'Tables, possibly with groups' }),
  'sink-table': required(text({ label: 'table id' }), {
    doc: 'Target: a literal, with $1, or with the replace symbol',
  }),
  'replace-symbol': optional(text(), { doc: 'Becomes the name of the source table' }),
  description: optional(text({ allowEmpty: true }), { doc: 'For people' }),
};

export type SinkKind = 'kafka' | 'postgres' | 'lakehouse';

function checkTransform(block: Block<typeof transformDeclarations>, sink: SinkKind): void {
  const columns = block.values.projection ?? null;
  const keys = block.values['primary-keys'] ?? [];
  if (columns !== null && keys.some((key) => !columns.includes(key))) {
    block.problem('conflict', 'primary-keys', 'a key column that the projection leaves out');
  }
  if (!block.given('partition-keys')) return;
  if (sink === 'lakehouse') block.problem('unsupported', 'partition-keys', `partitioned tables: ${notYet}`);
  else block.warning('partition-keys', 'has no effect: only lakehouse tables are partitioned');
}

/** Null after a problem, which is reported. */
export function readTransform(source: BlockSource, sink: SinkKind): TransformRule | null {
  const block = readBlock(transformDeclarations, source);
  checkTransform(block, sink);
  const values = block.complete;
  if (values === null) return null;
  return {
    tables: values['source-table'],
    columns: values.projection,
    primaryKeys: values['primary-keys'],
    description: values.description,
  };
}

/** Null after a problem, which is reported. */
export function readRoute(source: BlockSource): RouteRule | null {
  const block = readBlock(routeDeclarations, source);
  const values = block.complete;
  if (values === null) return null;
  const { source: tables, sink } = parseRouteRule({
    sourceTable: values['source-table'],
    sinkTable: values['sink-table'],
    replaceSymbol: values['replace-symbol'],
    description: values.description,
  });
  const at = (column: number | null): string => (column === null ? '' : ` (column ${column} of the value)`);
  if (!tables.ok) {
    block.problem('syntax', 'source-table', `expected ${tables.rule}${at(tables.column)}`);
    return null;
  }
  if (sink.ok) return sink.value;
  block.problem('syntax', 'sink-table', `expected ${sink.rule}${at(sink.column)}`);
  return null;
}
