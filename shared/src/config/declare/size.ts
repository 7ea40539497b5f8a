import { parsed, unparsable } from '../parsed.ts';
import type { Parsed } from '../parsed.ts';

const bytesByUnit: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  kb: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1024 ** 3,
  t: 1024 ** 4,
  tb: 1024 ** 4,
};

/** Bytes; units are powers of 1024. */
export function parseSize(text: string): Parsed<number> {
  const match = /^(\d+)\s*([a-z]*)$/i.exec(text.trim());
  const unit = match?.[2] === '' ? 1 : bytesByUnit[(match?.[2] ?? '-').toLowerCase()];
  if (match?.[1] === undefined || unit === undefined) return unparsable('a size such as 65536, 512kb, 16mb or 1gb');
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? parsed(bytes) : unparsable('a size below 8192tb');
}
