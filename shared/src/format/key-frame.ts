import { cellKind, RowCells } from './json-cells.ts';
import { CdcError } from '../errors/cdc-error.ts';
import { Span } from './record-frame.ts';
import { textSpan } from './value-fields.ts';

const key = { tableId: 0, schema: 1, payload: 2 } as const;

/** What a record's key says: the object that holds the key columns, and the table's id text where the key names it. */
export class KeyFrame {
  /** The object with the key columns; absent when the key is none. */
  readonly columns = new Span();
  readonly tableId = new Span();
  readonly #cells = new RowCells(['TableId', 'schema', 'payload']);

  /**
   * `start` −1 stands for a null key. Keys that are no JSON object are no error: they name no columns. Returns whether
   * key columns were found.
   */
  decode(bytes: Buffer, start: number, end: number): boolean {
    this.columns.clear();
    this.tableId.clear();
    if (start < 0 || start === end || bytes[start] !== 0x7b) return false;
    const cells = this.#cells;
    try {
      cells.read(bytes, start, end);
      if (
        cells.unknownFields === 0 &&
        cells.kind[key.payload] === cellKind.object &&
        cells.kind[key.schema] !== cellKind.absent
      ) {
        this.columns.set(cells.start[key.payload] as number, cells.end[key.payload] as number);
        return true;
      }
    } catch (error) {
      if (error instanceof CdcError) return false;
      throw error;
    }
    textSpan(cells, key.tableId, this.tableId);
    this.columns.set(start, end);
    return true;
  }
}

/** Names of the columns in a key object. Makes strings: for first records only. */
export function keyColumnNames(bytes: Buffer, key: KeyFrame): readonly string[] {
  const names = Object.keys(JSON.parse(bytes.toString('utf8', key.columns.start, key.columns.end)) as object);
  return key.tableId.present ? names.filter((name) => name !== 'TableId') : names;
}
