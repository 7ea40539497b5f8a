import type { IngestPipeline } from '@millrace/shared/config/pipeline.ts';
import { routeTable } from '@millrace/shared/config/route-table.ts';
import { transformFor } from '@millrace/shared/config/transform-rule.ts';
import { sameTable } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { ProjectionRules } from './source-tables.ts';

/** Filters, transforms, routes and inference of a document. Names are compared with their case. */
export function projectionRules(pipeline: IngestPipeline): ProjectionRules {
  const { source, transform, route, runtime } = pipeline;
  const included = (id: TableId): boolean =>
    source.tables.matches(id) &&
    (source.canalDatabases?.matches(id.schema) ?? true) &&
    (source.canalTables?.matches(id.table) ?? true);
  return {
    rulesFor: (id) => {
      const rule = transformFor(transform, id);
      return {
        included: included(id),
        columns: rule?.columns ?? null,
        primaryKeys: rule?.primaryKeys ?? null,
        initialSchema: source.inference.initialSchemas.find((schema) => sameTable(schema.id, id)) ?? null,
      };
    },
    route: (id) => routeTable(id, route, runtime.routeMode),
    inference: {
      strategy: source.inference.strategy,
      primitiveAsString: source.inference.primitiveAsString,
      preFetchRecords: source.inference.preFetchRecords,
    },
  };
}
