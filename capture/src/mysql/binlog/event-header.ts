/** Event type numbers of the binary log. */
export const eventType = {
  query: 2,
  stop: 3,
  rotate: 4,
  intvar: 5,
  load: 6,
  slave: 7,
  appendBlock: 9,
  deleteFile: 11,
  rand: 13,
  userVar: 14,
  formatDescription: 15,
  xid: 16,
  beginLoadQuery: 17,
  executeLoadQuery: 18,
  tableMap: 19,
  preGaWrite: 20,
  preGaDelete: 22,
  writeRowsV1: 23,
  updateRowsV1: 24,
  deleteRowsV1: 25,
  incident: 26,
  heartbeat: 27,
  ignorable: 28,
  rowsQuery: 29,
  writeRows: 30,
  updateRows: 31,
  deleteRows: 32,
  gtid: 33,
  anonymousGtid: 34,
  previousGtids: 35,
  transactionContext: 36,
  viewChange: 37,
  xaPrepare: 38,
  partialUpdateRows: 39,
  transactionPayload: 40,
  heartbeatV2: 41,
  gtidTagged: 42,
} as const;

/** timestamp u32 · type u8 · server_id u32 · size u32 · log_pos u32 · flags u16 */
export const headerBytes = 19;
export const typeOffset = 4;
export const sizeOffset = 9;
export const logPositionOffset = 13;
export const flagsOffset = 17;

export const eventFlag = {
  inUse: 0x01,
  threadSpecific: 0x04,
  artificial: 0x20,
  ignorable: 0x80,
} as const;

export const checksumBytes = 4;
