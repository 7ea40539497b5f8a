import type { LakehouseSinkOptions } from '../lakehouse-sink-options.ts';
import { safeIdentity } from './context.ts';
import type { BuildContext } from './context.ts';
import type { LakehouseSinkBlock } from './lakehouse-sink-declarations.ts';

const compaction = ['compaction.min-files', 'compaction.deleted-ratio', 'compaction.interval'] as const;

function warn(block: LakehouseSinkBlock): void {
  const { values } = block;
  if (values.type === 'paimon' && !block.given('table-format')) {
    block.warning('type', 'paimon without table-format writes Iceberg tables');
  }
  if (values['catalog.properties.metastore'] === 'rest') {
    const text = 'rest: tables are written under warehouse; no remote catalog is contacted';
    block.warning('catalog.properties.metastore', text);
  }
  if (block.given('invalid-text') && values['invalid-text'] !== 'dead-letter') {
    block.warning('invalid-text', 'has no effect: Parquet holds every text that decodes, NUL included');
  }
  const asked = compaction.find((name) => block.given(name));
  const enabled = block.given('compaction.enabled') && values['compaction.enabled'] === true;
  const first = enabled ? 'compaction.enabled' : asked;
  if (first !== undefined) block.warning(first, 'has no effect: there is no compaction in this version');
}

/** Null after a problem, which is reported. */
export function buildLakehouseSink(block: LakehouseSinkBlock, context: BuildContext): LakehouseSinkOptions | null {
  warn(block);
  if (block.values['table.properties.write-only'] === true && block.given('compaction.enabled')) {
    if (block.values['compaction.enabled'] === true) {
      block.problem('conflict', 'compaction.enabled', 'table.properties.write-only says the opposite');
    }
  }
  const values = block.complete;
  if (values === null) return null;
  return {
    kind: 'lakehouse',
    name: values.name ?? 'lakehouse',
    warehouse: values.warehouse,
    tableFormat: values['table-format'],
    formatVersion: 3,
    commitUser: values['commit.user'] ?? safeIdentity(context.pipelineName),
    commit: {
      intervalMs: values['commit.interval'],
      maxRows: values['commit.max-rows'],
      maxBytes: values['commit.max-size'],
    },
    targetFileSizeBytes: values['target-file-size'],
    compression: values['table.properties.file.compression'],
    snapshots: {
      retainedMs: values['snapshot.time-retained'],
      minRetained: values['snapshot.num-retained.min'],
    },
  };
}
