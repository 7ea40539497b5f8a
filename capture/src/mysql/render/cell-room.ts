import { base64Length } from '../cells/base64.ts';
import { escapeLetters } from '../cells/json-escape.ts';
import { unitScratch } from '../charset.ts';
import type { Charset } from '../charset.ts';
import { escapeEntryBytes } from '../charset/single-byte.ts';
import { opcode } from './opcode.ts';
import type { CellPlans } from './write-cell.ts';

/** No cell becomes longer than this many bytes per byte of its own, beside the constant room of its plan. */
export const greatestGrowth = 8;

/** From this size on the exact room is counted, so that a 64 MB cell does not reserve 512 MB. */
export const countedCellBytes = 16_384;

const quotes = 2;

function escapedLength(source: DataView, start: number, end: number): number {
  let length = end - start;
  for (let position = start; position < end; position++) {
    const letter = escapeLetters[source.getUint8(position)] as number;
    if (letter === 0x75) length += 5;
    else if (letter !== 0) length++;
  }
  return length;
}

function charsetLength(charset: Charset, source: DataView, start: number, end: number): number {
  if (charset.kind === 'single-byte') {
    let length = 0;
    for (let position = start; position < end; position++) {
      length += charset.escapes[source.getUint8(position) * escapeEntryBytes] as number;
    }
    return length;
  }
  if (charset.kind !== 'multi-byte') return escapedLength(source, start, end);
  const units = unitScratch(end - start);
  const count = charset.decode(source, start, end, units, true);
  let length = 0;
  for (let index = 0; index < count; index++) {
    const unit = units[index] as number;
    if (unit < 0x80) length += unit < 0x20 ? 6 : 2;
    else length += unit < 0x800 ? 2 : 3;
  }
  return length;
}

/**
 * Room for a large cell, not counting the constant room of its plan. Exact for text and binary; a first guess for JSON
 * documents, whose writer says when it needs more.
 */
export function largeCellRoom(plans: CellPlans, index: number, source: DataView, start: number, end: number): number {
  const charset = plans.charsets[index] ?? null;
  switch (plans.op[index]) {
    case opcode.utf8:
    case opcode.setText:
      return escapedLength(source, start, end) + quotes;
    case opcode.compactJsonText:
      return (end - start) * 2 + quotes;
    case opcode.singleByte:
    case opcode.multiByte:
      return (charset === null ? 0 : charsetLength(charset, source, start, end)) + quotes;
    case opcode.binary:
    case opcode.paddedBinary:
      return base64Length(end - start) + quotes;
    case opcode.json:
      return (end - start) * 2;
    default:
      return (end - start) * greatestGrowth;
  }
}
