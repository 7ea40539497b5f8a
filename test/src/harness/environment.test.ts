import { expect, test } from 'vitest';
import { parseExports } from './environment.ts';

test('export lines are read with and without quotes, and nothing else is', () => {
  const text = `export MYSQL_PORT=3306\nexport MYSQL_CLIENT='mysql --host=127.0.0.1 -e'\nnoise=1\n`;
  expect(parseExports(text)).toEqual({ MYSQL_PORT: '3306', MYSQL_CLIENT: 'mysql --host=127.0.0.1 -e' });
});
