import type { SchemaLogReader } from '@millrace/shared/schema-log/schema-log-reader.ts';

import type { Destination } from '../destination.ts';
import type { SchemaSources } from '../project/source-table.ts';

/** Where capture writes table versions unless told otherwise. */
export const schemaLogTopic = 'millrace.schema';

export function schemaSources(log: SchemaLogReader, destination: Destination): SchemaSources {
  return {
    schemaFor: (fingerprint, table, signal) => log.schemaFor(fingerprint, table, signal),
    describe: (target, signal) => destination.describe(target.schema, target.table, signal),
  };
}
