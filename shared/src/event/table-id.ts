/**
 * Names a table. MySQL and MariaDB: `namespace` is empty and `schema` is the database.
 * PostgreSQL: `namespace` is the database where `table-id.include-database` asks for it, else empty.
 */
export interface TableId {
  readonly namespace: string;
  readonly schema: string;
  readonly table: string;
}

/** The parts joined by dots, empty namespace and schema left out: the text of record keys, routes and default topics. */
export function tableIdText(id: TableId): string {
  let text = id.table;
  if (id.schema !== '') text = `${id.schema}.${text}`;
  if (id.namespace !== '') text = `${id.namespace}.${text}`;
  return text;
}

export function tableIdParts(id: TableId): readonly string[] {
  return [id.namespace, id.schema, id.table].filter((part) => part !== '');
}

export function sameTable(a: TableId, b: TableId): boolean {
  return a.table === b.table && a.schema === b.schema && a.namespace === b.namespace;
}
