import { boolean, oneOf, text } from '../declare/option-type.ts';
import { defaulted, notYet, optional } from '../declare/option.ts';

const identity = text({
  pattern: /^[A-Za-z0-9._-]{1,64}$/,
  expected: '1 to 64 characters A-Z a-z 0-9 . _ -',
  label: '[A-Za-z0-9._-]{1,64}',
});

const softDelete = { as: 'refused', reason: `${notYet}; use hard` } as const;

/** Options that every destination has. */
export const sharedSinkDeclarations = {
  name: optional(text(), { doc: 'Label' }),
  'commit.user': optional(identity, {
    doc: 'Identity under which offsets are stored, unique per job; default the pipeline name',
    aliases: ['commit.user-prefix'],
  }),
  'delete.mode': defaulted(oneOf(['hard']), 'hard', {
    doc: 'Deleted rows vanish',
    notes: { soft: softDelete, ignore: softDelete },
  }),
  'soft-delete.column': defaulted(text(), '_deleted', { doc: 'Boolean column', later: notYet }),
  'soft-delete.time-column': optional(text(), { doc: 'Time of the delete', later: notYet }),
  'source-id.column': optional(text(), { doc: 'Source of a row, as a column', later: notYet }),
  'source-id.value': defaulted(text(), '{source}', { doc: 'Its value', later: notYet }),
  'source-id.in-key': defaulted(boolean, 'true', { doc: 'Part of the target key', later: notYet }),
  'no-primary-key': defaulted(oneOf(['reject']), 'reject', {
    doc: 'Tables without a key',
    notes: { append: { as: 'refused', reason: `${notYet}; declare transform.primary-keys` } },
  }),
  'write.mode': defaulted(oneOf(['upsert']), 'upsert', {
    doc: 'The table holds the last state of each row',
    own: true,
    notes: { append: { as: 'refused', reason: `${notYet}; use upsert` } },
  }),
  'append.op-column': defaulted(text(), '_op', { doc: 'For write.mode append', own: true, later: notYet }),
  'append.time-column': defaulted(text(), '_op_ts', { doc: 'For write.mode append', own: true, later: notYet }),
  'invalid-text': defaulted(oneOf(['dead-letter', 'replace', 'strip']), 'dead-letter', {
    doc: 'NUL and invalid UTF-8; dead-letter stops the pipeline in this version',
  }),
  'include.schema.changes': optional(text(), { doc: 'Kinds of DDL to apply', later: notYet }),
  'exclude.schema.changes': optional(text(), { doc: 'Kinds of DDL to leave out', later: notYet }),
};
