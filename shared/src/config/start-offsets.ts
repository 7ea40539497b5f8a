import type { StartOffset } from './kafka-source-options.ts';
import { parsed, unparsable } from './parsed.ts';
import type { Parsed } from './parsed.ts';

const form = /^\s*(?:topic:\s*([A-Za-z0-9._-]{1,249})\s*,\s*)?partition:\s*(\d{1,10})\s*,\s*offset:\s*(\d{1,19})\s*$/;

/** `[topic:t,]partition:0,offset:42;…`. */
export function parseStartOffsets(text: string): Parsed<readonly StartOffset[]> {
  const offsets: StartOffset[] = [];
  let column = 1;
  for (const entry of text.replace(/;\s*$/, '').split(';')) {
    const match = form.exec(entry);
    if (match === null) return unparsable('partition:<n>,offset:<n>;… with topic:<t>, in front if needed', column);
    const offset: StartOffset = {
      topic: match[1] ?? null,
      partition: Number(match[2]),
      offset: BigInt(match[3] ?? 0),
    };
    if (offsets.some((other) => other.topic === offset.topic && other.partition === offset.partition)) {
      return unparsable('each partition once', column);
    }
    offsets.push(offset);
    column += entry.length + 1;
  }
  return parsed(offsets);
}
