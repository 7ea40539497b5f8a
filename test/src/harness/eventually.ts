import { delay } from '@millrace/shared/async/delay.ts';

/**
 * Repeats `probe` until it returns something other than undefined or false; at the time limit it fails with the
 * last error or `what`. For conditions of other systems that nobody announces.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  options: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const signal = AbortSignal.timeout(options.timeoutMs ?? 60_000);
  let last: unknown;
  for (;;) {
    try {
      const result = await probe();
      if (result !== undefined && result !== false) return result;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (signal.aborted) throw new Error(`never: ${what}`, { cause: last });
    await delay(options.everyMs ?? 100, new AbortController().signal);
  }
}
