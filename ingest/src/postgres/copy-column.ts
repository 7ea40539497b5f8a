import type { CellWriter } from './cell.ts';

/** A column of the row: the field's name in the JSON object, and its writer. */
export interface CopyColumn {
  readonly field: string;
  readonly cell: CellWriter;
  /** A key column is never NULL. */
  readonly isKey: boolean;
  /**
   * Rows of another version of the table may lack the column; then it is NULL. Values that a record does not carry
   * although its version has the column never come this far.
   */
  readonly nullable: boolean;
}
