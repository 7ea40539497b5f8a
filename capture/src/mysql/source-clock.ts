import type { Query } from './catalogue.ts';

/** How far the server's clock is ahead of ours, ms; good to half of the query's round trip. */
export async function readClockOffset(query: Query, signal: AbortSignal, nowMs = Date.now): Promise<number> {
  const beforeMs = nowMs();
  const [row] = await query('SELECT UNIX_TIMESTAMP(SYSDATE(6)) AS now', signal, 'reading the server clock');
  const afterMs = nowMs();
  return Number(row?.['now'] ?? Number.NaN) * 1000 - (beforeMs + afterMs) / 2;
}

/** Minutes that a zone is east of UTC at a moment. */
function zoneOffsetMinutes(zone: string, atMs: number): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(atMs);
  const text = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const match = /^GMT([+-])(\d{2}):(\d{2})/.exec(text);
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -minutes : minutes;
}

const toleratedMinutes = 30;

/**
 * A warning when the declared zone is more than half an hour off the server's; null when it is not, or when the server
 * cannot tell. No value depends on either.
 */
export async function zoneWarning(query: Query, declared: string, signal: AbortSignal): Promise<string | null> {
  const [row] = await query(
    "SELECT @@global.time_zone AS zone, TIMESTAMPDIFF(MINUTE, UTC_TIMESTAMP(), CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', " +
      '@@global.time_zone)) AS minutes',
    signal,
    'reading the server time zone',
  );
  const minutes = row?.['minutes'] ?? null;
  if (minutes === null || Math.abs(Number(minutes) - zoneOffsetMinutes(declared, Date.now())) <= toleratedMinutes) {
    return null;
  }
  return (
    `server-time-zone: ${declared} is declared, the server's zone (${row?.['zone'] ?? ''}) is ${minutes} min east of UTC; ` +
    'no value depends on it'
  );
}
