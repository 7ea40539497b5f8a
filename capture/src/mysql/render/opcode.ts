/**
 * What the cell switch does with a cell. Codes below 64 read cells of the log or of both protocols, from 64 on cells of
 * the text protocol. In brackets the parameters `a`, `b` and `style` of the plan.
 */
export const opcode = {
  /** The integers up to 32 bits stand in front: the row loop writes them without the switch. */
  int8: 1,
  uint8: 2,
  int16: 3,
  uint16: 4,
  int24: 5,
  uint24: 6,
  int32: 7,
  uint32: 8,
  lastSmallInteger: 8,
  int64: 9,
  uint64: 10,
  /** [style: number style] */
  int64Styled: 11,
  /** [style: number style] */
  uint64Styled: 12,
  tinyint1: 13,
  float: 14,
  double: 15,
  /** [a: precision, b: scale] */
  decimal: 16,
  /** [a: precision, b: scale, style: number style] */
  decimalStyled: 17,
  bit1: 18,
  bits: 19,
  year: 20,
  /** Temporals: [a: fractional digits, style: temporal style] */
  date: 21,
  dateTime: 22,
  timestamp: 23,
  time: 24,
  oldDateTime: 25,
  oldTimestamp: 26,
  oldTime: 27,
  utf8: 28,
  singleByte: 29,
  multiByte: 30,
  binary: 31,
  /** [a: length] */
  paddedBinary: 32,
  enum: 33,
  set: 34,
  /** [a: 1 for compact text] */
  json: 35,
  geometry: 36,
  vector: 37,

  integerText: 64,
  /** [style: number style] */
  integerTextStyled: 65,
  tinyint1Text: 66,
  floatText: 67,
  doubleText: 68,
  decimalText: 69,
  /** [style: number style] */
  decimalTextStyled: 70,
  dateText: 72,
  dateTimeText: 73,
  timeText: 74,
  setText: 75,
  compactJsonText: 76,
} as const;
