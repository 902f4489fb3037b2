/** The reference CNN written out as plain loops: conv 3x3x32 relu, max-pool 2, dense 128 relu, dense 10 softmax, in float64. */
export function cnnForward(weights: Float32Array, image: Float32Array): number[] {
  let offset = 0
  const next = (size: number) => {
    offset += size
    return weights.subarray(offset - size, offset)
  }
  const [kernel, kernelBias, hidden, hiddenBias, output, outputBias] = [9 * 32, 32, 5408 * 128, 128, 1280, 10].map(
    next,
  ) as Float32Array[]

  const pooled = new Float64Array(13 * 13 * 32)
  for (let y = 0; y < 26; y++) {
    for (let x = 0; x < 26; x++) {
      for (let filter = 0; filter < 32; filter++) {
        let sum = kernelBias?.[filter] as number
        for (let tap = 0; tap < 9; tap++) {
          const pixel = image[(y + Math.floor(tap / 3)) * 28 + x + (tap % 3)] as number
          sum += pixel * (kernel?.[tap * 32 + filter] as number)
        }
        const cell = ((y >> 1) * 13 + (x >> 1)) * 32 + filter
        pooled[cell] = Math.max(pooled[cell] as number, sum) // starts at 0: the relu
      }
    }
  }
  const fullyConnected = (from: Float64Array, matrix: Float32Array, bias: Float32Array) =>
    Float64Array.from(bias, (start, unit) =>
      from.reduce((sum, value, i) => sum + value * (matrix[i * bias.length + unit] as number), start),
    )
  const activations = fullyConnected(pooled, hidden as Float32Array, hiddenBias as Float32Array).map((value) =>
    Math.max(0, value),
  )
  const powers = [...fullyConnected(activations, output as Float32Array, outputBias as Float32Array)].map(Math.exp)
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map((power) => power / total)
}
