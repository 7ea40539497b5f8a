import { CdcError, invariantBroken } from '@millrace/shared/errors/cdc-error.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';

import type { RenderSpec, RowRenderer } from '../../source.ts';
import type { MysqlColumn, MysqlTable } from '../column.ts';
import { BinlogRenderer, isUnmeasured } from './binlog-renderer.ts';
import { planCell } from './cell-plan.ts';
import { FieldWriter } from './field-writer.ts';
import type { Field } from './field-writer.ts';
import { CsvKeyWriter } from './key-writer.ts';

import { RowWriter } from './row-writer.ts';
import { binlogLayout } from './spans.ts';
import { TextRenderer } from './text-renderer.ts';

const bareObject = Buffer.from('{', 'latin1');

function columnIndex(table: MysqlTable, name: string): number {
  const index = table.columns.findIndex((column) => column.name === name);
  if (index < 0) throw invariantBroken('a rendered column is not in its table', { column: name });
  return index;
}

/** Decides every column's writer. Throws `SOURCE_SCHEMA_UNSUPPORTED` naming table and column where there is none. */
export function compileRenderer(table: MysqlTable, spec: RenderSpec, from: 'stream' | 'snapshot'): RowRenderer {
  const { values } = spec;
  const field = (name: string, inKey: boolean): Field => {
    const index = columnIndex(table, name);
    const column = table.columns[index] as MysqlColumn;
    const isKeyColumn = inKey || spec.keyColumns.includes(name);
    const request = { column, table: table.schema.id, values, from, inKey, keepZero: isKeyColumn };
    return { name, column: index, cell: planCell(request) };
  };
  const policy = {
    ignoreNulls: values.ignoreNullFields,
    zeroDates: values.zeroDates,
    invalidText: values.invalidText,
  };
  const keyPolicy = { ...policy, ignoreNulls: false };
  const imageFields = spec.columns.map((name) => field(name, false));
  const keyFields = spec.keyColumns.map((name) => field(name, true));
  const image = new FieldWriter(table.schema.id, imageFields, policy, bareObject);
  const key =
    spec.keyStyle === 'json'
      ? new FieldWriter(table.schema.id, keyFields, keyPolicy, spec.keyPrefix)
      : new CsvKeyWriter(
          spec.keyPrefix,
          keyFields.map((keyField) => ({
            name: keyField.name,
            writer: new FieldWriter(table.schema.id, [keyField], keyPolicy, bareObject),
          })),
        );
  const rows = new RowWriter(
    image,
    key,
    keyFields.map((keyField) => keyField.column),
  );
  if (from === 'snapshot') return new TextRenderer(table, rows, image);
  const layout = binlogLayout(table.columns);
  if (isUnmeasured(layout)) {
    throw new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'column type is not known', {
      details: { table: tableIdText(table.schema.id), column: layout.name, type: layout.wireType },
    });
  }
  return new BinlogRenderer(table, layout, rows, image, imageFields);
}
