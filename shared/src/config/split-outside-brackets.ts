export interface Piece {
  readonly text: string;
  /** 0-based offset in the whole text. */
  readonly start: number;
}

/**
 * Splits at separators that stand outside `[] () {}` and are not escaped. `separatorLength` says how many characters
 * at `index` are a separator, 0 for none; it sees a backslash together with what follows it.
 */
export function splitOutsideBrackets(
  text: string,
  separatorLength: (text: string, index: number) => number,
): readonly Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  let depth = 0;
  let inClass = false;
  let index = 0;
  while (index < text.length) {
    const length = depth === 0 && !inClass ? separatorLength(text, index) : 0;
    if (length > 0) {
      pieces.push({ text: text.slice(start, index), start });
      index += length;
      start = index;
      continue;
    }
    const char = text[index];
    if (char === '\\') {
      index += 2;
      continue;
    }
    if (inClass) inClass = char !== ']';
    else if (char === '[') inClass = true;
    else if (char === '(' || char === '{') depth += 1;
    else if ((char === ')' || char === '}') && depth > 0) depth -= 1;
    index += 1;
  }
  pieces.push({ text: text.slice(start), start });
  return pieces;
}

/** Pieces between single characters `separators`, blanks around each cut off. */
export function splitList(text: string, separators: string): readonly Piece[] {
  return splitOutsideBrackets(text, (whole, index) => (separators.includes(whole[index] ?? '') ? 1 : 0)).map(
    (piece) => ({
      text: piece.text.trim(),
      start: piece.start + (piece.text.length - piece.text.trimStart().length),
    }),
  );
}
