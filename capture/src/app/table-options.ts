import type { CapturePipeline } from '@millrace/shared/config/pipeline.ts';
import { routeTable } from '@millrace/shared/config/route-table.ts';
import { transformFor } from '@millrace/shared/config/transform-rule.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';
import { canalJsonFrame } from '@millrace/shared/format/canal-json-frame.ts';
import type { FrameText } from '@millrace/shared/format/change-frame.ts';
import { debeziumJsonFrame } from '@millrace/shared/format/debezium-json-frame.ts';

import type { TableRegistryOptions } from '../pipeline/table-registry.ts';
import type { ValueRendering } from '../source.ts';

/** What the document says about value bytes. */
export function valueRendering(pipeline: CapturePipeline): ValueRendering {
  const { value } = pipeline.sink;
  const { source } = pipeline;
  return {
    timestampStandard: value.timestampStandard,
    decimals: value.decimals,
    bigNumbers: value.bigNumbers,
    ignoreNullFields: value.ignoreNullFields,
    timeFraction: value.timeFraction,
    zeroDates: source.zeroDates,
    invalidText: source.invalidText,
    tinyint1AsBoolean: source.tinyint1AsBoolean,
    compactJson: source.compactJson,
  };
}

function frameText(pipeline: CapturePipeline, id: TableId, primaryKey: readonly string[]): FrameText {
  const { value } = pipeline.sink;
  if (value.format === 'canal-json') {
    return canalJsonFrame(id, primaryKey, { flavour: value.flavour, executeTime: pipeline.source.executeTimes });
  }
  return debeziumJsonFrame(id, {
    flavour: value.flavour,
    snapshotOp: value.snapshotOp,
    fullTableId: value.emitFullTableId,
  });
}

function routedOnce(pipeline: CapturePipeline, id: TableId): TableId {
  const targets = routeTable(id, pipeline.route, pipeline.runtime.routeMode);
  const [first, ...others] = targets;
  if (first === undefined || others.length > 0) {
    throw new CdcError('CONFIG_INVALID', 'a table is routed to several targets at once', {
      details: { table: tableIdText(id), targets: targets.map((target) => tableIdText(target)) },
      hint: 'Set pipeline.route-mode: FIRST_MATCH, or let the selectors not overlap; copies are made by consumer groups.',
    });
  }
  return first;
}

/** What happens to tables on their way out, from the document; pure. */
export function tableOptions(pipeline: CapturePipeline, caseSensitive: boolean): TableRegistryOptions {
  const { sink, source } = pipeline;
  return {
    sourceName: source.name,
    route: {
      topic: sink.topic,
      mapping: sink.topicMapping.map(({ tables, topic }) => ({
        topic,
        matches: (id) => tables.matches(id, caseSensitive),
      })),
      prefix: sink.topicPrefix,
    },
    routed: (id) => routedOnce(pipeline, id),
    rule: (id) => transformFor(pipeline.transform, id, caseSensitive),
    strategy: (id) =>
      sink.partitionOverrides.find(({ tables }) => tables.matches(id, caseSensitive))?.strategy ??
      sink.partitionStrategy,
    keyFormat: sink.keyFormat,
    frame: (id, primaryKey) => frameText(pipeline, id, primaryKey),
    values: valueRendering(pipeline),
    tableIdHeaders: sink.tableIdHeaders,
    customHeaders: sink.customHeaders.map(({ name, value }) => [name, value]),
    positionHeaders: sink.positionHeaders,
    tombstones: sink.tombstonesOnDelete,
    changedOldOnly: sink.value.format === 'canal-json' && sink.value.canalOld === 'changed',
  };
}
