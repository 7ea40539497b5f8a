import { parsed, unparsable } from '../parsed.ts';
import type { Parsed } from '../parsed.ts';

const units: readonly (readonly [nanoseconds: bigint, names: readonly string[]])[] = [
  [1n, ['ns', 'nano', 'nanos', 'nanosecond', 'nanoseconds']],
  [1000n, ['µs', 'μs', 'us', 'micro', 'micros', 'microsecond', 'microseconds']],
  [1_000_000n, ['', 'ms', 'milli', 'millis', 'millisecond', 'milliseconds']],
  [1_000_000_000n, ['s', 'sec', 'secs', 'second', 'seconds']],
  [60_000_000_000n, ['m', 'min', 'mins', 'minute', 'minutes']],
  [3_600_000_000_000n, ['h', 'hour', 'hours']],
  [86_400_000_000_000n, ['d', 'day', 'days']],
];

const nanosecondsByUnit = new Map(units.flatMap(([nanoseconds, names]) => names.map((name) => [name, nanoseconds])));

const isoForm = /^([+-])?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,9}))?S)?)?$/i;

function parseIso(text: string): bigint | null {
  const match = isoForm.exec(text);
  if (match === null || /[PT]$/i.test(text)) return null;
  const [days, hours, minutes, seconds] = match.slice(2, 6).map((digits) => BigInt(digits ?? 0));
  const whole = (((days ?? 0n) * 24n + (hours ?? 0n)) * 60n + (minutes ?? 0n)) * 60n + (seconds ?? 0n);
  const nanoseconds = whole * 1_000_000_000n + BigInt((match[6] ?? '').padEnd(9, '0'));
  return match[1] === '-' ? -nanoseconds : nanoseconds;
}

function parsePlain(text: string): bigint | null {
  const match = /^([+-]?)(\d+)\s*(\D*)$/.exec(text);
  const unit = nanosecondsByUnit.get((match?.[3] ?? '-').toLowerCase());
  if (match?.[2] === undefined || unit === undefined) return null;
  const nanoseconds = BigInt(match[2]) * unit;
  return match[1] === '-' ? -nanoseconds : nanoseconds;
}

/** Whole milliseconds; what is finer is rounded away from zero, so that no positive duration becomes "off". */
export function parseDuration(text: string): Parsed<number> {
  const nanoseconds = parseIso(text.trim()) ?? parsePlain(text.trim());
  if (nanoseconds === null) return unparsable('a duration such as 500ms, 30s, 5min, 1h or PT30S');
  const away = nanoseconds < 0n ? -999_999n : 999_999n;
  const milliseconds = Number((nanoseconds + away) / 1_000_000n);
  return Number.isSafeInteger(milliseconds) ? parsed(milliseconds) : unparsable('a duration below 285000 years');
}
