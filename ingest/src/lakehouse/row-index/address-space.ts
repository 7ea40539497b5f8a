import { invariantBroken } from '@millrace/shared/errors/cdc-error.ts';

const addressLimit = 2 ** 32;

/**
 * Rows of many files on one line of 32-bit numbers: address = base of the file + position. Bases grow; the space of
 * files that left comes back when their owner fills a new one. Address 0 belongs to nobody.
 */
export class AddressSpace<F> {
  #bases: number[] = [];
  #files: F[] = [];
  #next = 1;

  allocate(file: F, rows: number): number {
    if (this.#next + rows > addressLimit)
      throw invariantBroken('the table has more rows than the row index can address');
    const base = this.#next;
    this.#bases.push(base);
    this.#files.push(file);
    this.#next += Math.max(rows, 1);
    return base;
  }

  get next(): number {
    return this.#next;
  }

  fileOf(address: number): F {
    const bases = this.#bases;
    let low = 0;
    let high = bases.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((bases[middle] as number) <= address) low = middle;
      else high = middle - 1;
    }
    const file = this.#files[low];
    if (file === undefined) throw invariantBroken('a row address belongs to no file');
    return file;
  }
}
