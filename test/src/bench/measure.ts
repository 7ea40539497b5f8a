import { availableParallelism } from 'node:os';

import { serverProcesses } from './environment.ts';
import { machineTimes, treeCpuSeconds } from './process-times.ts';

/** What one run of one side reports about itself, after checking its own result. */
export interface SideResult {
  readonly rows: number;
  readonly seconds: number;
  /** Of the side's own processes. */
  readonly cpuSeconds: number | null;
  readonly peakRssBytes: number | null;
  /** Bytes that the side produced, where it counts them. */
  readonly bytes?: number;
  /** CPU seconds of the servers meanwhile, by name, where they run on this machine. */
  readonly serverCpuSeconds: Readonly<Record<string, number>>;
  /** Shares of the machine's CPU time that went to others meanwhile: to processes here, to other virtual machines. */
  readonly foreignShare: number | null;
  readonly stolenShare: number | null;
}

export type Measured = Omit<SideResult, 'rows' | 'bytes'>;

interface Reading {
  readonly at: number;
  readonly own: number;
  readonly servers: ReadonlyMap<string, number>;
  readonly machine: ReturnType<typeof machineTimes>;
}

function ownCpuSeconds(): number {
  const tree = treeCpuSeconds(process.pid);
  if (tree !== null) return tree;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function takeReading(): Reading {
  const servers = new Map<string, number>();
  for (const [name, pid] of serverProcesses()) {
    const seconds = treeCpuSeconds(pid);
    if (seconds !== null) servers.set(name, seconds);
  }
  return { at: performance.now(), own: ownCpuSeconds(), servers, machine: machineTimes() };
}

function shares(
  before: Reading,
  after: Reading,
  ours: number,
): { readonly foreignShare: number | null; readonly stolenShare: number | null } {
  if (before.machine === null || after.machine === null) return { foreignShare: null, stolenShare: null };
  const available = ((after.at - before.at) / 1000) * availableParallelism();
  const busy = after.machine.busySeconds - before.machine.busySeconds;
  return {
    foreignShare: Math.max(0, busy - ours) / available,
    stolenShare: (after.machine.stolenSeconds - before.machine.stolenSeconds) / available,
  };
}

/** Starts the clock; the returned function stops it. Counts this process, its children and the stack's servers. */
export function startClock(): () => Measured {
  const before = takeReading();
  const began = performance.now();
  return () => {
    const seconds = (performance.now() - began) / 1000;
    const after = takeReading();
    const serverCpuSeconds: Record<string, number> = {};
    let serverSum = 0;
    for (const [name, used] of after.servers) {
      const spent = used - (before.servers.get(name) ?? used);
      serverCpuSeconds[name] = spent;
      serverSum += spent;
    }
    const cpuSeconds = after.own - before.own;
    return {
      seconds,
      cpuSeconds,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      serverCpuSeconds,
      ...shares(before, after, cpuSeconds + serverSum),
    };
  };
}

/** Several stretches of the clock as one. */
export function addMeasured(parts: readonly Measured[]): Measured {
  const [first, ...more] = parts;
  if (first === undefined) throw new Error('nothing was measured');
  return more.reduce((sum, part) => {
    const servers = Object.keys({ ...sum.serverCpuSeconds, ...part.serverCpuSeconds }).map((name) => [
      name,
      (sum.serverCpuSeconds[name] ?? 0) + (part.serverCpuSeconds[name] ?? 0),
    ]);
    return {
      seconds: sum.seconds + part.seconds,
      cpuSeconds: added(sum.cpuSeconds, part.cpuSeconds),
      peakRssBytes: greater(sum.peakRssBytes, part.peakRssBytes),
      serverCpuSeconds: Object.fromEntries(servers) as Record<string, number>,
      foreignShare: greater(sum.foreignShare, part.foreignShare),
      stolenShare: greater(sum.stolenShare, part.stolenShare),
    };
  }, first);
}

function added(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function greater(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b);
}
