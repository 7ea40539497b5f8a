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

/** A Puffin file of deletion vectors with an uncompressed footer. Snapshot and sequence number are inherited (−1). */
export function encodePuffin(vectors: readonly VectorBlob[], createdBy: string): PuffinFile {
  const offsets: number[] = [];
  let at = magic.length;
  const blobs = vectors.map((vector) => {
    offsets.push(at);
    const entry = {
      type: 'deletion-vector-v1',
      fields: [rowPositionFieldId],
      'snapshot-id': -1,
      'sequence-number': -1,
      offset: at,
      length: vector.blob.length,
      properties: {
        'referenced-data-file': vector.referencedDataFile,
        cardinality: String(vector.cardinality),
      },
    };
    at += vector.blob.length;
    return entry;
  });
  const footer = Buffer.from(JSON.stringify({ blobs, properties: { 'created-by': createdBy } }), 'utf8');
  const tail = Buffer.alloc(8);
  tail.writeInt32LE(footer.length, 0);
  return {
    bytes: Buffer.concat([magic, ...vectors.map((vector) => vector.blob), magic, footer, tail, magic]),
    offsets,
  };
}
