/** What became of the records of one partition; added up per batch, never per record. */
export interface DecodeCounts {
  records: number;
  /** Streamed records at or below their mark. */
  duplicates: number;
  /** Records of tables that the document leaves out. */
  filtered: number;
  /** Records without rows: heartbeats, transaction markers, schema changes. */
  rowless: number;
  /** Tombstones that name no row. */
  tombstonesSkipped: number;
  /** Truncates that the document does not let through. */
  truncatesIgnored: number;
  /** Rows that a table of the lake holds already. */
  alreadyApplied: number;
}

export function noCounts(): DecodeCounts {
  return {
    records: 0,
    duplicates: 0,
    filtered: 0,
    rowless: 0,
    tombstonesSkipped: 0,
    truncatesIgnored: 0,
    alreadyApplied: 0,
  };
}
