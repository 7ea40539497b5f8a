/**
 * What a cell writer returns instead of the next output position when it cannot write the cell. Negative numbers, so
 * that the hot path neither throws nor allocates; the row renderer turns them into errors that name table and column.
 */
export const refusal = {
  /** Zero or partly zero date; nothing was decided yet: the policy of the column says null, or fail. */
  zeroDate: -1,
  /** Bytes that the charset of the column cannot decode. */
  invalidText: -2,
  /** The cell contradicts its type. */
  corrupt: -3,
  /** TINYINT(1) other than 0 and 1. */
  notBoolean: -4,
  /** The writer's room is used up; the same call with more room goes further. */
  room: -5,
  /** A value of a kind that has no rendering. */
  unsupported: -6,
} as const;
