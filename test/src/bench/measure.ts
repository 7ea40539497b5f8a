import { text } from 'node:stream/consumers';

import type { SideResult } from './pairs.ts';

/** Reads what the driver hands to a side. */
export async function sideInput<T>(): Promise<T> {
  return JSON.parse(await text(process.stdin)) as T;
}

/** Starts the clock; the returned function stops it and prints the result line. */
export function startClock(): (rows: number, bytes?: number) => void {
  const cpu = process.cpuUsage();
  const began = performance.now();
  return (rows, bytes) => {
    const seconds = (performance.now() - began) / 1000;
    const used = process.cpuUsage(cpu);
    const result: SideResult = {
      rows,
      seconds,
      cpuSeconds: (used.user + used.system) / 1e6,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      ...(bytes === undefined ? {} : { bytes }),
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  };
}
