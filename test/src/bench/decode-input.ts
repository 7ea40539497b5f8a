import type { Workload } from './workload.ts';

export interface DecodeInput {
  readonly workload: Workload;
  /** How often the stretch is read in one run, connecting outside the clock. */
  readonly passes: number;
}

/** What a reader made of the whole stretch, for comparison with another reader. */
export interface DecodeDigest {
  readonly rows: number;
  /** Hash over op and ids of all rows in order. */
  readonly idsHash: string;
  readonly samples: readonly DecodedChange[];
}

/** What JSON can hold. */
export type Cell = string | number | boolean | null | readonly Cell[] | { readonly [name: string]: Cell };
export type Image = Readonly<Record<string, Cell>> | null;

export interface DecodedChange {
  readonly op: string;
  readonly before: Image;
  readonly after: Image;
}

/** Every so many rows one is compared value by value. */
export const sampleEvery = 97;

export function idsOf({ op, before, after }: DecodedChange): string {
  const id = (image: Image): string => (image === null ? '' : Number(image['id']).toFixed());
  return `${op} ${id(before)} ${id(after)}\n`;
}
