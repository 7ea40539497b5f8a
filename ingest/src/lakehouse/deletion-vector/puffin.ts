const magic = Buffer.from('PFA1', 'latin1');
/** Field id of the row position column, which the specification wants a vector blob to name. */
const rowPositionFieldId = 2_147_483_645;

export interface VectorBlob {
  /** `file_path` of the data file, to the letter. */
  readonly referencedDataFile: string;
  readonly cardinality: number;
  readonly blob: Buffer;
}

export interface PuffinFile {
  readonly bytes: Buffer;
  /** Where each blob stands, in the order given. */
  readonly offsets: readonly number[];
}

const gap = Buffer.alloc(1);

/**
 * A Puffin file of deletion vectors with an uncompressed footer. Snapshot and sequence number are inherited (−1).
 *
 * Vectors stand in order of length with a byte between them. DuckDB 1.5 reads on to the next range that it has cached
 * when the gap is no longer than what it was asked for, and then takes the start of that larger range for whatever
 * lies inside it: rows of one file would be deleted in another. So no gap between two vectors may be that small while
 * a third stands in it.
 */
export function encodePuffin(vectors: readonly VectorBlob[], createdBy: string): PuffinFile {
  const offsets: number[] = Array.from({ length: vectors.length }, () => 0);
  const ascending = vectors.map((_, i) => i).sort((a, b) => lengthOf(vectors, a) - lengthOf(vectors, b));
  const parts: Buffer[] = [magic];
  const blobs: object[] = [];
  let at = magic.length;
  for (const i of ascending) {
    const vector = vectors[i] as VectorBlob;
    if (blobs.length > 0) {
      parts.push(gap);
      at += gap.length;
    }
    offsets[i] = at;
    blobs.push(footerEntry(vector, at));
    parts.push(vector.blob);
    at += vector.blob.length;
  }
  const footer = Buffer.from(JSON.stringify({ blobs, properties: { 'created-by': createdBy } }), 'utf8');
  const tail = Buffer.alloc(8);
  tail.writeInt32LE(footer.length, 0);
  return { bytes: Buffer.concat([...parts, magic, footer, tail, magic]), offsets };
}

function lengthOf(vectors: readonly VectorBlob[], index: number): number {
  return vectors[index]?.blob.length ?? 0;
}

function footerEntry(vector: VectorBlob, offset: number): object {
  return {
    type: 'deletion-vector-v1',
    fields: [rowPositionFieldId],
    'snapshot-id': -1,
    'sequence-number': -1,
    offset,
    length: vector.blob.length,
    properties: { 'referenced-data-file': vector.referencedDataFile, cardinality: String(vector.cardinality) },
  };
}
