import type { Cell, DecodedChange, Image } from './decode-input.ts';

/**
 * Whether two readers mean the same value. Ours renders numbers as JSON numbers, TINYINT(1) as true and false, JSON
 * columns as text, timestamps with their zone and without idle zeros. zongji gives decimals, also those inside JSON,
 * and large integers as text, and JSON columns as objects.
 */
function sameValue(ours: Cell | undefined, theirs: Cell | undefined): boolean {
  if (ours === undefined || theirs === undefined) return false;
  if (ours === theirs) return true;
  if (ours === null || theirs === null) return false;
  if (typeof ours === 'boolean') return Number(ours) === theirs;
  if (typeof ours === 'number') return typeof theirs === 'string' && theirs !== '' && Number(theirs) === ours;
  if (typeof ours === 'string') {
    return typeof theirs === 'object' ? sameValue(parsed(ours), theirs) : sameTime(ours, String(theirs));
  }
  if (typeof theirs !== 'object') return false;
  const [mine, other] = [Object.entries(ours), new Map(Object.entries(theirs))];
  return mine.length === other.size && mine.every(([name, value]) => sameValue(value, other.get(name)));
}

function parsed(text: string): Cell | undefined {
  try {
    return JSON.parse(text) as Cell;
  } catch {
    return undefined;
  }
}

const timestamp = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+?)0*)?Z?$/;

function sameTime(ours: string, theirs: string): boolean {
  const [mine, other] = [timestamp.exec(ours), timestamp.exec(theirs)];
  return mine !== null && other !== null && mine[1] === other[1] && Number(mine[2] ?? 0) === Number(other[2] ?? 0);
}

function imageDifferences(ours: Image, theirs: Image): readonly string[] {
  if (ours === null || theirs === null) return ours === theirs ? [] : ['an image is missing'];
  const names = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  return [...names].filter((name) => !sameValue(ours[name], theirs[name]));
}

/** Columns in which our change is not what the other reader says; empty when they agree. */
export function changeDifferences(ours: DecodedChange, theirs: DecodedChange): readonly string[] {
  if (ours.op !== theirs.op) return ['op'];
  return [...imageDifferences(ours.before, theirs.before), ...imageDifferences(ours.after, theirs.after)];
}
