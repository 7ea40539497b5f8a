import type { ColumnSchema } from '@millrace/shared/event/schema.ts';

import { mergeTypes, sameType } from './merge-types.ts';

/** `varchar(20)` and `varchar(40)` are of one kind; so are `int` and `int unsigned`. */
function sourceKind(sourceType: string): string {
  return sourceType.replace(/[\s(].*$/s, '');
}

/** A merged type goes by the name of the source type that it equals; where both claim another kind it has none. */
function mergeSourceTypes(merged: ColumnSchema['type'], old: ColumnSchema, added: ColumnSchema): string | null {
  if (old.sourceType === added.sourceType) return old.sourceType;
  const fitsOld = sameType(merged, old.type);
  const fitsAdded = sameType(merged, added.type);
  if (fitsOld && !fitsAdded) return old.sourceType;
  if (fitsAdded && !fitsOld) return added.sourceType;
  if (!fitsAdded || old.sourceType === null || added.sourceType === null) return null;
  return sourceKind(old.sourceType) === sourceKind(added.sourceType) ? added.sourceType : null;
}

function mergeColumn(old: ColumnSchema, added: ColumnSchema): ColumnSchema {
  const type = mergeTypes(old.type, added.type);
  return {
    name: old.name,
    type,
    nullable: old.nullable || added.nullable,
    sourceType: mergeSourceTypes(type, old, added),
    comment: added.comment,
    defaultValue: added.defaultValue,
    generated: old.generated && added.generated,
  };
}

/**
 * Columns that take rows of the old and of the added version (LENIENT): new columns last and nullable, types widened,
 * columns that the added version lacks kept and nullable. Key columns stay not null.
 */
export function evolveColumns(
  old: readonly ColumnSchema[],
  added: readonly ColumnSchema[],
  primaryKey: readonly string[],
): readonly ColumnSchema[] {
  const isKey = (name: string): boolean => primaryKey.includes(name);
  const byName = new Map(added.map((column) => [column.name, column]));
  const kept = old.map((column) => {
    const newer = byName.get(column.name);
    const merged = newer === undefined ? { ...column, nullable: true } : mergeColumn(column, newer);
    return isKey(column.name) ? { ...merged, nullable: false } : merged;
  });
  const known = new Set(old.map((column) => column.name));
  const fresh = added
    .filter((column) => !known.has(column.name))
    .map((column) => ({ ...column, nullable: !isKey(column.name) }));
  return [...kept, ...fresh];
}
