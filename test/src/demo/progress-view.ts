import type { DemoProgram, ProgramStatus } from './program.ts';

const barCells = 24;

function bar(done: number, total: number): string {
  const share = total <= 0 ? 1 : Math.min(1, done / total);
  const full = Math.round(share * barCells);
  return `${'█'.repeat(full)}${'░'.repeat(barCells - full)} ${String(Math.floor(share * 100)).padStart(3)} %`;
}

function lagText(status: ProgramStatus): string {
  const stages = Object.entries(status.lag ?? {}).flatMap(([stage, lag]) => {
    const parts: string[] = [];
    if (typeof lag.events === 'number') parts.push(`${lag.events} records`);
    if (typeof lag.seconds === 'number') parts.push(`${lag.seconds.toFixed(1)} s`);
    return parts.length === 0 ? [] : [`${stage} ${parts.join(', ')}`];
  });
  return stages.length === 0 ? '' : `lag: ${stages.join(' · ')}`;
}

function snapshotLines(status: ProgramStatus): string[] {
  return status.tables.flatMap((table) => {
    const { progress } = table;
    if (progress === null || progress === undefined || table.state === 'live') return [];
    return [`    ${table.table.padEnd(20)} ${bar(progress.done, progress.total ?? 0)}  ${progress.done} rows`];
  });
}

/** What one look at the programs shows: a bar per table that is being read, then state and lag. */
export async function viewLines(programs: readonly DemoProgram[]): Promise<string[]> {
  const lines: string[] = [];
  for (const program of programs) {
    const status = await program.status();
    if (status === null) {
      lines.push(`  ${program.label.padEnd(18)} starting`);
      continue;
    }
    lines.push(`  ${program.label.padEnd(18)} ${status.state.padEnd(14)} ${lagText(status)}`);
    lines.push(...snapshotLines(status));
  }
  return lines;
}

/** Redraws in place on a terminal, else prints a view now and then. */
export class ProgressView {
  #drawn = 0;
  #lastPlainMs = 0;

  draw(lines: readonly string[]): void {
    if (process.stdout.isTTY) {
      if (this.#drawn > 0) process.stdout.write(`\u001B[${this.#drawn}A\u001B[J`);
      process.stdout.write(`${lines.join('\n')}\n`);
      this.#drawn = lines.length;
      return;
    }
    const now = performance.now();
    if (now - this.#lastPlainMs < 3000) return;
    this.#lastPlainMs = now;
    process.stdout.write(`${lines.join('\n')}\n`);
  }

  /** What follows is printed below. */
  end(): void {
    this.#drawn = 0;
  }
}
