/** Takes byte ranges that shall stand one after another. The ranges must stay unchanged until the sink is used up. */
export interface RangeSink {
  add(bytes: Buffer, start: number, end: number): void;
}
