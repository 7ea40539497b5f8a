import { describe, expect, it } from 'vitest';

import { optionsReference } from './options-reference.ts';

describe('options reference', () => {
  const page = optionsReference();

  it('has a row of four cells for every option, once per chapter', () => {
    for (const chapter of page.split('\n## ').slice(1)) {
      const rows = chapter.split('\n').filter((line) => line.startsWith('| `'));
      const names = rows.map((row) => row.slice(3, row.indexOf('`', 3)));
      expect(rows.length).toBeGreaterThan(0);
      expect(new Set(names).size).toBe(names.length);
      for (const row of rows) expect(row.replaceAll(String.raw`\|`, '').split('|')).toHaveLength(6);
    }
  });

  it('says type, default, status and aliases', () => {
    expect(page).toContain('| `port` | int 1 to 65535; `3306` | W | TCP port. Also `database.port`. |');
    expect(page).toContain('| `hadoop.conf.*` | – | R | No Hadoop runs here. |');
    expect(page).toMatch(/\| `ssl\.mode` † \| disabled, preferred, .*; `preferred` \| W \|/);
  });
});
