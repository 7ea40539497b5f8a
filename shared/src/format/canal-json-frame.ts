import type { TableId } from '../event/table-id.ts';
import type { FrameText } from './change-frame.ts';
import { jsonText } from './json-text.ts';

export interface CanalJsonFrameOptions {
  /** `oss` prints neither `ts` nor `es`. */
  readonly flavour: 'vvr' | 'oss';
  /** `es` is the change time instead of 0. */
  readonly executeTime: boolean;
}

/** Text of canal-json with one row per message: `old`, `data`, `type`, `database`, `table`, `pkNames`, `ts`, `es`. */
export function canalJsonFrame(id: TableId, primaryKey: readonly string[], options: CanalJsonFrameOptions): FrameText {
  const keys = primaryKey.map((name) => jsonText(name)).join(',');
  const rest = `"database":${jsonText(id.schema)},"table":${jsonText(id.table)},"pkNames":[${keys}]`;
  const tail = (type: string): readonly string[] => {
    const start = `],"type":"${type}",${rest}`;
    if (options.flavour === 'oss') return [`${start}}`];
    return options.executeTime ? [`${start},"ts":`, ',"es":', '}'] : [`${start},"ts":`, ',"es":0}'];
  };
  const single = '{"old":null,"data":[';
  return {
    head: { create: single, read: single, delete: single, update: '{"old":[' },
    middle: '],"data":[',
    truncate: tail('TRUNCATE').map((part, index) => (index === 0 ? `{"old":null,"data":null${part.slice(1)}` : part)),
    tail: { create: tail('INSERT'), read: tail('INSERT'), update: tail('UPDATE'), delete: tail('DELETE') },
  };
}
