import { availableParallelism, loadavg } from 'node:os';
import { crc32 } from 'node:zlib';

import type { SideResult } from './measure.ts';

/** How quiet the machine was around one pair. */
export interface Quietness {
  /** Load of the last minute, per core, before the pair. */
  readonly loadPerCore: number;
  /** The same fixed work after the pair over before it: 1 when the machine was equally fast. */
  readonly calibration: number;
}

const maxLoadPerCore = 0.3;
const maxForeignShare = 0.05;
const maxCalibrationDrift = 0.05;
const calibrationBytes = Buffer.alloc(16 * 1024 * 1024, 0x5a);
const calibrationRounds = 64;

/** Seconds for a checksum over 1 GiB. */
function calibrate(): number {
  const began = performance.now();
  let sum = 0;
  for (let round = 0; round < calibrationRounds; round++) sum = crc32(calibrationBytes, sum);
  return (performance.now() - began) / 1000;
}

/** Call before a pair, and `ended` after it. */
export function quietness(): { ended(): Quietness } {
  const loadPerCore = (loadavg()[0] ?? 0) / availableParallelism();
  const before = calibrate();
  return { ended: () => ({ loadPerCore, calibration: calibrate() / before }) };
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** What disturbed a pair; empty when it was quiet. */
export function disturbances(pair: {
  readonly quiet: Quietness;
  readonly ours: SideResult;
  readonly yardstick: SideResult;
}): readonly string[] {
  const { loadPerCore, calibration } = pair.quiet;
  const worst = (pick: (side: SideResult) => number | null): number =>
    Math.max(pick(pair.ours) ?? 0, pick(pair.yardstick) ?? 0);
  const foreign = worst(({ foreignShare }) => foreignShare);
  const stolen = worst(({ stolenShare }) => stolenShare);
  const found: string[] = [];
  if (loadPerCore > maxLoadPerCore) found.push(`load ${loadPerCore.toFixed(2)} per core before`);
  if (foreign > maxForeignShare) found.push(`${percent(foreign)} of the CPU went to other processes`);
  if (stolen > maxForeignShare) found.push(`${percent(stolen)} of the CPU was stolen`);
  if (Math.abs(calibration - 1) > maxCalibrationDrift) {
    found.push(`fixed work took ${calibration.toFixed(2)} times as long after as before`);
  }
  return found;
}
