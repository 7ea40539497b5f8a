/**
 * One cell as data. Decimals, temporals and other exact texts are canonical strings (values reference §2);
 * integers beyond ±2^53 are bigint; binary is bytes.
 */
export type Value = null | boolean | number | bigint | string | Uint8Array | readonly Value[];
