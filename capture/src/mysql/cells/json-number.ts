import { decimalDigits, writeAscii, writeShortDouble } from './floating.ts';

/** A double as MySQL prints it inside a JSON document: fixed up to 15 digits before and 14 zeros behind the point. */
export function mysqlJsonDouble(text: string): string {
  const { digits, pointPosition } = decimalDigits(text);
  if (digits === '') return '0.0';
  if (pointPosition >= -14 && (pointPosition <= 15 || digits.length > pointPosition)) {
    if (pointPosition <= 0) return `0.${'0'.repeat(-pointPosition)}${digits}`;
    const whole = digits.slice(0, pointPosition).padEnd(pointPosition, '0');
    return `${whole}.${digits.slice(pointPosition) || '0'}`;
  }
  const fraction = digits.slice(1);
  return `${digits.slice(0, 1)}${fraction === '' ? '' : `.${fraction}`}e${pointPosition - 1}`;
}

export function writeJsonDouble(out: DataView, at: number, value: number): number {
  let next = at;
  let magnitude = value;
  if (value < 0 || Object.is(value, -0)) {
    out.setUint8(next++, 0x2d);
    magnitude = -value;
  }
  const end = writeShortDouble(out, next, magnitude);
  if (end >= 0) return end;
  return writeAscii(out, next, mysqlJsonDouble(String(magnitude)));
}
