import { parsed, unparsable } from '../parsed.ts';
import type { Parsed } from '../parsed.ts';

const units: readonly (readonly [milliseconds: number, names: readonly string[]])[] = [
  [1e-6, ['ns', 'nano', 'nanos', 'nanosecond', 'nanoseconds']],
  [1e-3, ['µs', 'μs', 'us', 'micro', 'micros', 'microsecond', 'microseconds']],
  [1, ['', 'ms', 'milli', 'millis', 'millisecond', 'milliseconds']],
  [1000, ['s', 'sec', 'secs', 'second', 'seconds']],
  [60_000, ['m', 'min', 'mins', 'minute', 'minutes']],
  [3_600_000, ['h', 'hour', 'hours']],
  [86_400_000, ['d', 'day', 'days']],
];

const millisecondsByUnit = new Map(units.flatMap(([milliseconds, names]) => names.map((name) => [name, milliseconds])));

const isoForm = /^([+-])?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i;

function parseIso(text: string): number | null {
  const match = isoForm.exec(text);
  if (match === null || /[PT]$/i.test(text)) return null;
  const [days, hours, minutes, seconds] = match.slice(2).map((digits) => Number(digits ?? 0));
  const total = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 + (seconds ?? 0) * 1000;
  return match[1] === '-' ? -total : total;
}

/** Whole milliseconds; what is finer is rounded away from zero, so that no positive duration becomes "off". */
export function parseDuration(text: string): Parsed<number> {
  const trimmed = text.trim();
  const iso = parseIso(trimmed);
  const match = /^([+-]?\d+)\s*(\D*)$/.exec(trimmed);
  const unit = millisecondsByUnit.get((match?.[2] ?? '').toLowerCase());
  const exact = iso ?? (match?.[1] === undefined || unit === undefined ? null : Number(match[1]) * unit);
  if (exact === null) return unparsable('a duration such as 500ms, 30s, 5min, 1h or PT30S');
  // Ten digits of a nanosecond hide the error of 1e-6 in binary.
  const tidy = Math.round(Math.abs(exact) * 1e9) / 1e9;
  const whole = Math.ceil(Number.isFinite(tidy) ? tidy : Math.abs(exact));
  return Number.isSafeInteger(whole)
    ? parsed(exact < 0 ? -whole : whole)
    : unparsable('a duration of less than 285000 years');
}
