import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{shared,capture,ingest,test,scripts}/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'test/src/systems/**'],
          // Property tests take their time on a busy machine.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'systems',
          include: ['test/src/systems/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
