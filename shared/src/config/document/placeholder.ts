/** A piece of a value: literal text, or something to be filled in. `column` is 1-based. */
export type ValuePiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly fallback: string | null; readonly column: number }
  | { readonly kind: 'environment'; readonly name: string; readonly column: number }
  | { readonly kind: 'file'; readonly path: string; readonly column: number }
  | { readonly kind: 'malformed'; readonly column: number };

const variableForm = /^([A-Za-z_][A-Za-z0-9_.-]*)(?::-([^]*))?$/;
const environmentForm = /^env:([^\s=]+)$/;
const fileForm = /^file:([^]+)$/;

function pieceOf(inside: string, column: number): ValuePiece {
  const environment = environmentForm.exec(inside);
  if (environment?.[1] !== undefined) return { kind: 'environment', name: environment[1], column };
  const file = fileForm.exec(inside);
  if (file?.[1] !== undefined) return { kind: 'file', path: file[1], column };
  const variable = variableForm.exec(inside);
  // A placeholder inside a default would not be substituted: refused rather than passed on as text.
  if (variable?.[1] === undefined || variable[2]?.includes('${') === true) return { kind: 'malformed', column };
  return { kind: 'variable', name: variable[1], fallback: variable[2] ?? null, column };
}

/**
 * Splits a value at `${name}`, `${name:-default}`, `${env:NAME}` and `${file:path}`; `$${` is a literal `${`.
 * A default reaches to the first `}`. Names in `literal` stay as they are written.
 */
export function parsePlaceholders(value: string, literal: ReadonlySet<string>): readonly ValuePiece[] {
  const pieces: ValuePiece[] = [];
  let text = '';
  let index = 0;
  while (index < value.length) {
    if (value.startsWith('$${', index)) {
      text += '${';
      index += 3;
      continue;
    }
    if (!value.startsWith('${', index)) {
      text += value[index] ?? '';
      index += 1;
      continue;
    }
    const end = value.indexOf('}', index);
    const inside = end < 0 ? '' : value.slice(index + 2, end);
    if (literal.has(inside)) {
      text += value.slice(index, end + 1);
    } else {
      if (text !== '') pieces.push({ kind: 'text', text });
      text = '';
      pieces.push(pieceOf(inside, index + 1));
    }
    index = end < 0 ? value.length : end + 1;
  }
  if (text !== '') pieces.push({ kind: 'text', text });
  return pieces;
}
