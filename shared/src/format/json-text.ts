const escapes = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** A JSON string with quotes, by the records' rules: control characters as `\u00XX` in upper case, everything else raw. */
export function jsonText(value: string): string {
  let text = '"';
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0x20 && code !== 0x22 && code !== 0x5c) text += character;
    else text += escapes.get(character) ?? `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
  }
  return `${text}"`;
}
