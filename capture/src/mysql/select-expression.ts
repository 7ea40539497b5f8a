import { binaryCollation, charsetOfCollation } from './charset.ts';
import { wireType } from './column.ts';
import type { MysqlColumn } from './column.ts';

export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/**
 * How a snapshot SELECT names the column, so that the text protocol carries what the cell writers expect. The session
 * must have the connection charset utf8mb4, `time_zone='+00:00'` and no PAD_CHAR_TO_FULL_LENGTH (T15, T27).
 *
 * FLOAT prints six digits, and FLOAT(M,D) and DOUBLE(M,D) D of them, unless they are part of a double expression (T6);
 * the factor also keeps −0. Text of other charsets than utf8mb4 stays in its own bytes: the server's conversion would
 * turn what it cannot map into `?` (T29).
 */
export function selectExpression(column: MysqlColumn): string {
  const name = quoteIdentifier(column.name);
  switch (column.wireType) {
    case wireType.float:
    case wireType.double:
      return `${name} * 1e0`;
    case wireType.varchar:
    case wireType.varString:
    case wireType.string:
    case wireType.blob:
      return hasUtf8mb4Bytes(column.collation) ? name : `CAST(${name} AS BINARY)`;
    default:
      return name;
  }
}

function hasUtf8mb4Bytes(collation: number | null): boolean {
  if (collation === null || collation === binaryCollation) return true;
  return charsetOfCollation(collation)?.name === 'utf8mb4';
}
