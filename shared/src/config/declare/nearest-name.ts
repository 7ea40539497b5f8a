/** Damerau-Levenshtein distance with adjacent transpositions. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The known name that a mistyped one most likely means; null when none is near. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const typed = name.toLowerCase();
  const names = [...known];
  const longer = typed.length < 3 ? [] : names.filter((candidate) => candidate.toLowerCase().startsWith(typed));
  if (longer.length === 1) return longer[0] ?? null;
  let nearest: string | null = null;
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const candidate of names) {
    if (Math.abs(candidate.length - typed.length) >= least) continue;
    const found = distance(typed, candidate.toLowerCase());
    if (found < least) {
      least = found;
      nearest = candidate;
    }
  }
  return nearest;
}
