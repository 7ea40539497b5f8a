import { expect, test } from 'vitest';

import { GtidSet } from '../gtid-set.ts';
import { dumpCommand, dumpError, dumpGtidCommand, dumpStatements, heartbeatV2Flag, replicaUuidOf } from './dump.ts';

function errorPacket(errno: number, text: string): Buffer {
  const head = Buffer.from([0xff, errno & 0xff, errno >> 8]);
  return Buffer.concat([head, Buffer.from(`#HY000${text}`)]);
}

test.each([
  ['Could not find first log file name in binary log index file', 'SOURCE_POSITION_LOST'],
  ['Cannot replicate because the source purged required binary logs. …', 'SOURCE_POSITION_LOST'],
  ['… but the master has purged binary logs containing GTIDs that the slave requires', 'SOURCE_POSITION_LOST'],
  ["Replica has more GTIDs than the source has, using the source's SERVER_UUID", 'SOURCE_POSITION_LOST'],
  ['Client requested source to start replication from position > file size', 'SOURCE_POSITION_LOST'],
  ['binlog truncated in the middle of event; consider out of disk space on source', 'SOURCE_LOG_CORRUPT'],
  ['log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source', 'SOURCE_LOG_CORRUPT'],
  ['something that nobody has seen yet', 'SOURCE_LOG_CORRUPT'],
])('T122 error 1236 is told apart by its text: %s', (text, code) => {
  const packet = errorPacket(1236, text);
  expect(dumpError(packet, 0, packet.length)).toMatchObject({ code, details: { errno: 1236, reason: text } });
});

test.each([
  'A replica with the same server_uuid/server_id as this replica has connected to the source',
  'A slave with the same server_uuid/server_id as this slave has connected to the master',
])('T114 the loser of two readers with one identity stops: %s', (text) => {
  const packet = errorPacket(1236, text);
  const error = dumpError(packet, 0, packet.length);
  expect(error.code).toBe('SOURCE_FENCED');
  expect(error.policy.retry).toBe('stop');
});

test('a killed connection is lost, missing grants are named', () => {
  const killed = errorPacket(1317, 'Query execution was interrupted');
  expect(dumpError(killed, 0, killed.length).code).toBe('SOURCE_CONNECTION_LOST');
  const refused = errorPacket(1227, 'Access denied; you need REPLICATION SLAVE');
  const error = dumpError(refused, 0, refused.length);
  expect(error.code).toBe('SOURCE_AUTH_FAILED');
  expect(error.hint).toContain('GRANT REPLICATION SLAVE');
});

test('the dump command by file and position', () => {
  expect(dumpCommand(5400, heartbeatV2Flag, 'b.000001', 4).toString('hex')).toBe(
    `130000001204000000020018150000${Buffer.from('b.000001').toString('hex')}`,
  );
  expect(() => dumpCommand(1, 0, 'b.000001', 2 ** 32)).toThrow(
    expect.objectContaining({ code: 'SOURCE_POSITION_LOST' }),
  );
});

test('T110 the dump command by GTID carries the exact set', () => {
  const set = GtidSet.parse('8b4570c1-e545-11f1-960d-02fc00000001:1-3:5').encode();
  const packet = dumpGtidCommand(1, heartbeatV2Flag, set);
  expect(packet.subarray(4, 27).toString('hex')).toBe('1e06000100000000000000040000000000000040000000');
  expect(packet.subarray(27)).toEqual(set);
});

test('one pipeline name is one replica identity', () => {
  expect(replicaUuidOf('shop')).toBe(replicaUuidOf('shop'));
  expect(replicaUuidOf('shop')).not.toBe(replicaUuidOf('shop2'));
  expect(replicaUuidOf('shop')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('both spellings of the session variables, and no semi-synchronous replication', () => {
  const text = dumpStatements({ serverId: 1, replicaUuid: 'u' }, 10_000).join(';');
  for (const name of ['source_binlog_checksum', 'master_binlog_checksum', 'replica_uuid', 'slave_uuid']) {
    expect(text).toContain(`@${name} = `);
  }
  expect(text).toContain('@source_heartbeat_period = 10000000000');
  expect(text).not.toContain('semi_sync');
});
