const multiplier = 0x5bd1e995;
const seed = 0x9747b28c;

/** 32-bit murmur2 as in the Java client, of `bytes[start, end)`; signed. */
export function murmur2(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  let hash = seed ^ length;
  let at = start;
  for (const wordsEnd = start + (length & ~3); at < wordsEnd; at += 4) {
    let word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    word = Math.imul(word, multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  const rest = length & 3;
  if (rest === 3) hash ^= (bytes[at + 2] as number) << 16;
  if (rest >= 2) hash ^= (bytes[at + 1] as number) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ (bytes[at] as number), multiplier);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return hash ^ (hash >>> 15);
}

/** The partition that the Java client's default partitioner takes for a key with this hash. */
export function partitionOf(hash: number, count: number): number {
  return (hash & 0x7fffffff) % count;
}
