export type BenchName = 'decode' | 'capture' | 'postgres' | 'lake';

export interface Gate {
  readonly id: string;
  /** Least ratio of our rate to the yardstick's. */
  readonly atLeast: number;
  /** Set by derivation, not yet from runs of the product. */
  readonly provisional: boolean;
  /** Where the stage that was measured is more than what the gate was set for. */
  readonly remark?: string;
}

const c = (id: string, atLeast: number): Gate => ({ id, atLeast, provisional: false });
const toBroker: Gate = { id: 'C7', atLeast: 0.5, provisional: true };
const snapshot: Gate = {
  id: 'S1',
  atLeast: 0.85,
  provisional: false,
  remark: 'S1 is set for rows to bytes; this run also delivers to Kafka',
};
const upsert: Gate = {
  id: 'P1',
  atLeast: 0.5,
  provisional: false,
  remark: 'P1 is set for the write alone; this run also reads Kafka and decodes',
};
const lake: Gate = {
  id: 'L1',
  atLeast: 0.3,
  provisional: false,
  remark: 'L1 is set for the Parquet writer alone; this run also reads Kafka, decodes, indexes keys and commits',
};

/** Gates by benchmark and workload; never lowered to make a run pass. */
export const gates: Readonly<Record<BenchName, Readonly<Record<string, Gate>>>> = {
  decode: {
    narrow: c('C1', 3.5),
    orders: c('C1', 4),
    wide: c('C1', 4),
    'narrow-single': c('C2', 4.5),
    'orders-single': c('C2', 5),
  },
  capture: { narrow: toBroker, orders: toBroker, wide: toBroker, 'orders-single': toBroker, snapshot },
  postgres: { narrow: upsert, orders: upsert },
  lake: { narrow: lake, orders: lake },
};
