import { describe, expect, it } from 'vitest';

import { bytesPerCharacter, charsetOfCollation, decodeText } from './charset.ts';

function decoded(hex: string, collation: number): string {
  const bytes = Buffer.from(`ff${hex}ff`, 'hex');
  return decodeText(bytes, 1, bytes.length - 1, collation);
}

describe('decodeText (T23)', () => {
  it.each([
    [8, '636166e9', 'café'],
    [8, '8081', '€\u0081'],
    [28, 'c4e3bac3', '你好'],
    [35, '00e9', 'é'],
    [54, '00e9d83dde00', 'é😀'],
    [56, 'e9003dd800de', 'é😀'],
    [60, '0001f600', '😀'],
    [13, '82a0b1', 'あｱ'],
    [95, '878a', '㈱'],
    [12, 'a4a28ea18fb0a1', 'あ｡丂'],
    [97, 'ada1', '①'],
    [1, 'a4a4', '中'],
    [19, 'c7d1', '한'],
    [24, 'd6d0', '中'],
    [51, 'cff0e8', 'При'],
    [36, '8f', 'П'],
    [7, 'f0', 'П'],
    [9, 'b3', 'ł'],
    [25, 'e1', 'α'],
    [18, 'a1', 'ก'],
    [10, '5b5c5d', 'ÄÖÅ'],
    [248, 'd6d0', '中'],
    [248, '8130813090308130', '\u0080\u{10000}'],
    [248, '8431a4398135f437', '\uffff\ue7c7'],
    [248, 'e3329a35', '\u{10ffff}'],
    [33, 'c3a9', 'é'],
    [255, 'f09f9880', '😀'],
  ])('collation %i: %s is %s', (collation, hex, text) => {
    expect(decoded(hex, collation)).toBe(text);
  });

  it('what the charset lacks becomes U+FFFD, byte by byte', () => {
    expect(decoded('41ff42', 28)).toBe('A\ufffdB');
    expect(decoded('41d83d', 54)).toBe('\u41d8\ufffd');
    expect(decoded('c328', 255)).toBe('\ufffd(');
    expect(decoded('81308130e3329a36', 248)).toBe('\u0080\ufffd2\ufffd6');
  });

  it('an unknown collation is an error, not a guess', () => {
    expect(() => decodeText(Buffer.from('a'), 0, 1, 1000)).toThrow(
      expect.objectContaining({ code: 'SOURCE_SCHEMA_UNSUPPORTED' }),
    );
  });
});

describe('collations', () => {
  it.each([
    [63, 'binary'],
    [83, 'utf8mb3'],
    [46, 'utf8mb4'],
    [255, 'utf8mb4'],
    [309, 'utf8mb4'],
    [250, 'gb18030'],
    [94, 'latin1'],
    // MariaDB: utf8mb4_nopad_bin, utf8mb3_uca1400_ai_ci, utf8mb4_uca1400_ai_ci.
    [1070, 'utf8mb4'],
    [2048, 'utf8mb3'],
    [2304, 'utf8mb4'],
  ])('%i is of %s (T24, T25)', (collation, name) => {
    expect(charsetOfCollation(collation)?.name).toBe(name);
  });

  it('reserve as many bytes per character as the server does', () => {
    expect([255, 33, 28, 54, 8].map(bytesPerCharacter)).toEqual([4, 3, 2, 4, 1]);
  });
});
