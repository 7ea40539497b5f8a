import type { ValueRendering } from '../source.ts';

/** The default rendering of a pipeline document. */
export const plainValues: ValueRendering = {
  timestampStandard: 'sql',
  decimals: 'scale',
  bigNumbers: 'number',
  ignoreNullFields: false,
  timeFraction: true,
  zeroDates: 'null',
  invalidText: 'fail',
  tinyint1AsBoolean: true,
  compactJson: false,
};
