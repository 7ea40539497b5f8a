import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parsePlaceholders } from './placeholder.ts';

const none: ReadonlySet<string> = new Set();

describe('placeholder grammar', () => {
  it.each([
    ['plain $ and $$ and $x {a}', [{ kind: 'text', text: 'plain $ and $$ and $x {a}' }]],
    ['${mysql.port}', [{ kind: 'variable', name: 'mysql.port', fallback: null, column: 1 }]],
    [
      'a${b:-c d}e',
      [
        { kind: 'text', text: 'a' },
        { kind: 'variable', name: 'b', fallback: 'c d', column: 2 },
        { kind: 'text', text: 'e' },
      ],
    ],
    ['${b:-}', [{ kind: 'variable', name: 'b', fallback: '', column: 1 }]],
    ['${env:HOME}', [{ kind: 'environment', name: 'HOME', column: 1 }]],
    ['${file:/run/secrets/pw}', [{ kind: 'file', path: '/run/secrets/pw', column: 1 }]],
    ['$${name}', [{ kind: 'text', text: '${name}' }]],
    ['$$${name}', [{ kind: 'text', text: '$${name}' }]],
    ['${', [{ kind: 'malformed', column: 1 }]],
    ['${}', [{ kind: 'malformed', column: 1 }]],
    ['${1a}', [{ kind: 'malformed', column: 1 }]],
    ['${a b}', [{ kind: 'malformed', column: 1 }]],
    [
      'x${a:-${b}}',
      [
        { kind: 'text', text: 'x' },
        { kind: 'malformed', column: 2 },
        { kind: 'text', text: '}' },
      ],
    ],
  ])('%s', (value, expected) => {
    expect(parsePlaceholders(value, none)).toEqual(expected);
  });

  it('leaves names of others as they are written', () => {
    expect(parsePlaceholders('outbox.${routedByValue}', new Set(['routedByValue']))).toEqual([
      { kind: 'text', text: 'outbox.${routedByValue}' },
    ]);
  });

  it('returns any text unchanged once every ${ in it is escaped', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const pieces = parsePlaceholders(text.replaceAll('${', '$${'), none);
        expect(pieces.map((piece) => (piece.kind === 'text' ? piece.text : '?')).join('')).toBe(text);
      }),
    );
  });

  it('finds every placeholder between any texts', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/);
    const plain = fc.string().map((text) => text.replaceAll(/[${}]/g, ''));
    fc.assert(
      fc.property(fc.array(fc.tuple(plain, name, fc.option(plain)), { maxLength: 5 }), plain, (parts, tail) => {
        const value = parts.map(
          ([text, id, fallback]) => `${text}\${${id}${fallback === null ? '' : `:-${fallback}`}}`,
        );
        const found = parsePlaceholders(value.join('') + tail, none).filter((piece) => piece.kind === 'variable');
        expect(found.map((piece) => [piece.name, piece.fallback])).toEqual(
          parts.map(([, id, fallback]) => [id, fallback]),
        );
      }),
    );
  });
});
