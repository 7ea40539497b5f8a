import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, the unit of /proc times on every Linux. */
const ticksPerSecond = 100;

interface ProcessTimes {
  readonly parent: number;
  /** User and system time of its threads and of the children that it has waited for. */
  readonly ticks: number;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // Not Linux, or the process has just ended.
    return null;
  }
}

/** Fields of /proc/<pid>/stat; the name in brackets may hold blanks and brackets itself. */
export function parseProcessTimes(stat: string): ProcessTimes {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return { parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) };
}

function allProcesses(): ReadonlyMap<number, ProcessTimes> {
  const found = new Map<number, ProcessTimes>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : null;
    if (stat !== null) found.set(Number(name), parseProcessTimes(stat));
  }
  return found;
}

/** CPU seconds of a process and everything below it, so far; null where the system does not tell. */
export function treeCpuSeconds(root: number): number | null {
  if (read(`/proc/${root}/stat`) === null) return null;
  const all = allProcesses();
  let ticks = 0;
  const visit = (pid: number): void => {
    ticks += all.get(pid)?.ticks ?? 0;
    for (const [child, { parent }] of all) if (parent === pid) visit(child);
  };
  visit(root);
  return ticks / ticksPerSecond;
}

/** Largest resident memory of a running process so far; null where the system does not tell. */
export function peakRssBytes(pid: number): number | null {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '');
  return match === null ? null : Number(match[1]) * 1024;
}

export interface MachineTimes {
  /** CPU seconds of all cores in which anything ran here. */
  readonly busySeconds: number;
  /** CPU seconds that the host of this virtual machine gave to others. */
  readonly stolenSeconds: number;
}

/** Null where the system does not tell. */
export function machineTimes(): MachineTimes | null {
  const line = /^cpu +(.*)$/m.exec(read('/proc/stat') ?? '')?.[1];
  if (line === undefined) return null;
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = line.split(' ').map(Number);
  return {
    busySeconds: (user + nice + system + irq + softIrq) / ticksPerSecond,
    stolenSeconds: steal / ticksPerSecond,
  };
}
