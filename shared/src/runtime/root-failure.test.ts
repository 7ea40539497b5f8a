import { expect, test } from 'vitest';
import { CdcError } from '../errors/cdc-error.ts';
import { rootFailure } from './root-failure.ts';

const lost = new CdcError('SOURCE_CONNECTION_LOST', 'lost');

test('a failure while closing does not hide the one before it', async () => {
  const failing = async (): Promise<void> => {
    await using _connection = { [Symbol.asyncDispose]: () => Promise.reject(new Error('already closed')) };
    throw lost;
  };
  const caught = await failing().catch((error: unknown) => error);
  expect(caught).toBeInstanceOf(SuppressedError);
  expect(rootFailure(caught)).toBe(lost);
});

test('a coded failure while closing counts when the first has none', () => {
  expect(rootFailure(new SuppressedError(lost, new Error('x')))).toBe(lost);
});

test('of several at once the first with a code counts', () => {
  expect(rootFailure(new AggregateError([new Error('x'), lost]))).toBe(lost);
});

test('what has no code is a defect of ours, with the original as its cause', () => {
  const bug = new TypeError('x is not a function');
  expect(rootFailure(new SuppressedError(new Error('closing'), bug))).toMatchObject({
    code: 'INVARIANT_BROKEN',
    cause: bug,
  });
});
