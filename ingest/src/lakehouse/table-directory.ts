import { tableIdParts, tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

/** Directories `<warehouse>/<db>/<table>` of table names, whatever characters they have. */

const plain = /^[\p{L}\p{N}_$-]$/u;

/**
 * One path segment for a name. What file systems or other engines might read as something else becomes `~` and the
 * hex of its UTF-8 bytes; percent signs would be decoded by some readers and not by others.
 */
export function directoryName(name: string): string {
  let text = '';
  for (const character of name) {
    const keep = plain.test(character) || (character === '.' && text !== '');
    if (keep) text += character;
    else for (const byte of Buffer.from(character, 'utf8')) text += `~${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}

export interface TablePlace {
  /** `db.table`, as offsets and logs name it. */
  readonly text: string;
  readonly directory: string;
  /** The directory as a URI without a slash at its end. */
  readonly location: string;
}

export function tablePlace(warehouse: string, id: TableId): TablePlace {
  const parts = tableIdParts(id);
  const schema = parts.slice(0, -1).join('.');
  const directory = `${warehouse}/${directoryName(schema === '' ? 'default' : schema)}/${directoryName(id.table)}`;
  return { text: tableIdText(id), directory, location: `file://${directory}` };
}

const dataFileName = /^data\/([A-Za-z0-9._-]+)\/(\d+)-\d+-[0-9a-f-]{36}\.parquet$/;

/** `data/<topic>/<partition>-<sequence>-<uuid>.parquet`: the rows of one Kafka partition. */
export function dataFilePath(topic: string, partition: number, sequence: number, uuid: string): string {
  return `data/${topic}/${partition}-${sequence}-${uuid}.parquet`;
}

/** The Kafka partition (`topic-partition`) whose rows a data file holds; null for files of other writers. */
export function partitionOfDataFile(location: string, path: string): string | null {
  if (!path.startsWith(`${location}/`)) return null;
  const match = dataFileName.exec(path.slice(location.length + 1));
  return match === null ? null : `${match[1]}-${match[2]}`;
}

const ownFiles = [
  dataFileName,
  /^data\/\d+-[0-9a-f-]{36}-dv\.puffin$/,
  /^metadata\/[0-9a-f-]{36}-m0\.avro$/,
  /^metadata\/snap-\d+-1-[0-9a-f-]{36}\.avro$/,
  /^metadata\/[0-9a-f-]{36}\.tmp$/,
];

/** A name (relative to the table) that only this writer gives. */
export function isOwnFile(name: string): boolean {
  return ownFiles.some((pattern) => pattern.test(name));
}
