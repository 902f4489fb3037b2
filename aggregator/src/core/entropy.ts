/**
 * Where random bytes come from. Live entry points always use the platform's CSPRNG; only simulation and tests hand a
 * seeded one in (`@fedweave/aggregator/testing`), because whoever knows the bytes knows every secret made of them.
 */
export interface Entropy {
  bytes(length: number): Uint8Array
}
