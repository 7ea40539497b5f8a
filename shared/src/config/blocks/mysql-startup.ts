import type { MysqlStartup } from '../mysql-source-options.ts';
import type { MysqlSourceBlock } from './mysql-source-declarations.ts';

const prefix = 'scan.startup.specific-offset';
const gtidSet = `${prefix}.gtid-set`;
const file = `${prefix}.file`;
const pos = `${prefix}.pos`;
const skips = [`${prefix}.skip-events`, `${prefix}.skip-rows`] as const;
const timestamp = 'scan.startup.timestamp-millis';
const specificOptions = [gtidSet, file, pos, ...skips] as const;

type Mode = 'initial' | 'snapshot' | 'earliest-offset' | 'latest-offset' | 'specific-offset' | 'timestamp';

const debeziumModes: Readonly<Record<string, Mode>> = {
  initial: 'initial',
  initial_only: 'snapshot',
  no_data: 'latest-offset',
  schema_only: 'latest-offset',
  never: 'earliest-offset',
};

function modeOf(block: MysqlSourceBlock): Mode {
  const own = block.values['scan.startup.mode'] ?? null;
  const debezium = block.values['snapshot.mode'] ?? null;
  const mapped = debezium === null ? null : (debeziumModes[debezium] ?? null);
  if (own !== null && mapped !== null && own !== mapped) {
    block.problem('conflict', 'snapshot.mode', `means ${mapped}, and scan.startup.mode says another`);
  }
  return own ?? mapped ?? 'initial';
}

function specificOffset(block: MysqlSourceBlock): MysqlStartup | null {
  const { values } = block;
  const hasGtid = block.given(gtidSet);
  const hasFile = block.given(file) || block.given(pos);
  if (hasGtid && hasFile) {
    block.problem('conflict', gtidSet, 'excludes file and pos');
    return null;
  }
  if (hasGtid) {
    for (const skip of skips) if (block.given(skip)) block.problem('conflict', skip, 'only with file and pos');
    const set = values[gtidSet] ?? null;
    return set === null ? null : { mode: 'specific-gtid-set', gtidSet: set };
  }
  if (!hasFile) {
    block.problem('missing', gtidSet, 'required for specific-offset, or file and pos');
    return null;
  }
  for (const half of [file, pos] as const) {
    if (!block.given(half)) block.problem('missing', half, 'file and pos are given together');
  }
  const name = values[file] ?? null;
  const position = values[pos] ?? null;
  if (name === null || position === null) return null;
  const [skipEvents, skipRows] = skips.map((skip) => values[skip] ?? 0);
  return { mode: 'specific-file', file: name, position, skipEvents: skipEvents ?? 0, skipRows: skipRows ?? 0 };
}

/** Null after a problem, which is reported. */
export function buildMysqlStartup(block: MysqlSourceBlock): MysqlStartup | null {
  const mode = modeOf(block);
  for (const option of specificOptions) {
    if (mode !== 'specific-offset' && block.given(option)) {
      block.warning(option, 'has no effect: scan.startup.mode is not specific-offset');
    }
  }
  if (mode !== 'timestamp' && block.given(timestamp)) {
    block.warning(timestamp, 'has no effect: scan.startup.mode is not timestamp');
  }
  if (mode === 'specific-offset') return specificOffset(block);
  if (mode !== 'timestamp') return { mode };
  const millis = block.values[timestamp] ?? null;
  if (millis !== null) return { mode, millis };
  if (!block.given(timestamp)) block.problem('missing', timestamp, 'required for timestamp');
  return null;
}
