import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';

import type { RenderedPiece } from '../publish/table-publisher.ts';
import type { RowBatch, RowRenderer } from '../source.ts';

const firstRows = 512;

/** Rendered rows of one piece of a chunk, kept until the stream has caught up with them; reused. */
export class PieceBuffer implements RenderedPiece {
  readonly #out = new ByteWriter(1 << 18);
  imageStart = new Int32Array(firstRows);
  imageEnd = new Int32Array(firstRows);
  keyStart = new Int32Array(firstRows);
  keyEnd = new Int32Array(firstRows);
  count = 0;

  get bytes(): Buffer {
    return this.#out.bytes;
  }

  get byteLength(): number {
    return this.#out.length;
  }

  /** Replaces the content by the rows of `batch`. */
  fill(batch: RowBatch, renderer: RowRenderer): void {
    this.#out.clear();
    this.count = 0;
    const { row } = renderer;
    renderer.open(batch);
    while (renderer.next(this.#out)) {
      if (this.count === this.imageStart.length) this.#grow();
      this.imageStart[this.count] = row.afterStart;
      this.imageEnd[this.count] = row.afterEnd;
      this.keyStart[this.count] = row.afterKeyStart;
      this.keyEnd[this.count] = row.afterKeyEnd;
      this.count += 1;
    }
  }

  #grow(): void {
    const grow = (old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(old.length * 2);
      grown.set(old);
      return grown;
    };
    this.imageStart = grow(this.imageStart);
    this.imageEnd = grow(this.imageEnd);
    this.keyStart = grow(this.keyStart);
    this.keyEnd = grow(this.keyEnd);
  }
}
