import { randomBytes } from 'node:crypto';

/** A name that no other test uses: for databases, topics, groups. Lower case, digits and `_`, under 40 bytes. */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(5).toString('hex')}`;
}
