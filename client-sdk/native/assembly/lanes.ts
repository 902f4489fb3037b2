/** Bytes of one float32, of a vector of four, and of the eight columns that one tile computes. */
export const FLOAT: u32 = 4
export const VECTOR: u32 = 16
export const PANEL: u32 = 32

/** a * b + c: rounded twice and the same everywhere, or in one step where the relaxed build's machine has it. */
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(c, f32x4.mul(a, b))
}
