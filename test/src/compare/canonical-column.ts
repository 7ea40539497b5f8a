/** How the three systems print one column, and what makes the texts equal. The stated forms are the definition of equality. */
export interface CanonicalColumn {
  readonly name: string;
  /** SQL expressions over the quoted name. */
  readonly mysql: string;
  readonly postgres: string;
  readonly duckdb: string;
  /** Applied to each side's text. */
  readonly normalise: (text: string) => string;
}

/** A row of MySQL's information_schema.COLUMNS. */
export interface CatalogueColumn {
  readonly name: string;
  /** DATA_TYPE, lower case. */
  readonly dataType: string;
  /** COLUMN_TYPE, lower case. */
  readonly columnType: string;
}

function trimFraction(text: string): string {
  return text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text;
}

function instant(text: string): string {
  return trimFraction(text.replace(/\+00(?::00)?$/, ''));
}

function truth(text: string): string {
  return text === '1' || text === 't' || text === 'true' ? 'true' : 'false';
}

function sortedJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => sortedJson(item));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, item]) => [name, sortedJson(item)]));
}

/** Equal as documents: member order and number spelling do not count (jsonb keeps neither). */
function json(text: string): string {
  return JSON.stringify(sortedJson(JSON.parse(text)));
}

const same = (text: string): string => text;
const number = (text: string): string => String(Number(text));
const single = (text: string): string => String(Math.fround(Number(text)));

const mysqlName = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
const sqlName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Bits as MySQL writes them, most significant first; the lake keeps little-endian bytes. */
function bits(width: number): (text: string) => string {
  return (text) => text.padStart(width, '0').slice(-width);
}

function littleEndianBits(column: string, bytes: number): string {
  const parts = Array.from({ length: bytes }, (_, index) => {
    const at = 2 * (bytes - 1 - index) + 1;
    return `lpad(bin(('0x' || substr(hex(${column}), ${at}, 2))::INTEGER), 8, '0')`;
  });
  return parts.join(' || ');
}

export function canonicalColumn(column: CatalogueColumn): CanonicalColumn {
  const { name, dataType, columnType } = column;
  const m = mysqlName(name);
  const q = sqlName(name);
  const text = { name, mysql: `CAST(${m} AS CHAR)`, postgres: `${q}::text`, duckdb: `${q}::VARCHAR`, normalise: same };
  switch (dataType) {
    case 'tinyint':
      return columnType === 'tinyint(1)' ? { ...text, normalise: truth } : text;
    case 'float':
      return { ...text, mysql: `CAST(${m} AS DOUBLE)`, normalise: single };
    case 'double':
      return { ...text, normalise: number };
    case 'datetime':
    case 'timestamp':
      return { ...text, normalise: instant };
    case 'time':
      return { ...text, normalise: trimFraction };
    case 'json':
      return { ...text, normalise: json };
    case 'set':
      return { ...text, postgres: `array_to_string(${q}, ',')`, duckdb: `array_to_string(${q}, ',')` };
    case 'binary':
    case 'varbinary':
    case 'tinyblob':
    case 'blob':
    case 'mediumblob':
    case 'longblob':
      return { ...text, mysql: `HEX(${m})`, postgres: `upper(encode(${q}, 'hex'))`, duckdb: `hex(${q})` };
    case 'bit': {
      const width = Number(/\((\d+)\)/.exec(columnType)?.[1] ?? 1);
      if (width === 1) return { ...text, mysql: `CAST(${m}+0 AS CHAR)`, normalise: truth };
      const duckdb = littleEndianBits(q, Math.ceil(width / 8));
      return { ...text, mysql: `BIN(${m})`, duckdb, normalise: bits(width) };
    }
    default:
      return text;
  }
}
