import type { Logger } from '@millrace/shared/observe/logger.ts';
import type { SchemaLogReader } from '@millrace/shared/schema-log/schema-log-reader.ts';

import type { Destination } from '../destination.ts';
import type { SchemaSources } from '../project/source-table.ts';

/** Where capture writes table versions unless told otherwise. */
export const schemaLogTopic = 'millrace.schema';

export function schemaSources(reader: SchemaLogReader, destination: Destination, log: Logger): SchemaSources {
  return {
    schemaFor: async (fingerprint, table, signal) => {
      const schema = await reader.schemaFor(fingerprint, table, signal);
      if (schema === null) {
        log.warn('a table version is not in the schema log; its types are taken from the records', {
          table,
          fingerprint,
          topic: schemaLogTopic,
        });
      }
      return schema;
    },
    describe: (target, signal) => destination.describe(target.schema, target.table, signal),
  };
}
