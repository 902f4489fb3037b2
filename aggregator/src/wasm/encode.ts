import {
  type Code,
  countDown,
  doubles,
  doublesOfFloats,
  doublesOfWords,
  doWhile,
  f64Add,
  f64Floor,
  f64Least,
  f64Most,
  f64Multiply,
  f64Negate,
  f64Subtract,
  get,
  i32,
  i32Add,
  load,
  load64Splat,
  multiply,
  set,
  shuffle,
  splat,
  store,
  type WasmFunction,
} from './assembler.ts'

/** `Kernels.encode`, operation by operation what `Quantiser.encode` does, four coordinates at a time. */
export function encode(): WasmFunction {
  const [range, delta, words, quads, weight] = [0, 1, 2, 3, 4]
  const [scale, most, least, weights, four, random, exact, below, first] = [5, 6, 7, 8, 9, 10, 11, 12, 13]
  /** Two coordinates in quanta, rounded, as the lower words of two float64. */
  const rounded = (floats: Code, uniform: Code): Code => [
    set(exact, f64Most(f64Least(f64Multiply(doublesOfFloats(floats), get(scale)), get(most)), get(least))),
    set(below, f64Floor(get(exact))),
    f64Add(
      f64Add(
        get(below),
        f64Floor(f64Add(f64Subtract(get(exact), get(below)), f64Multiply(doublesOfWords(uniform), doubles(2 ** -32)))),
      ),
      doubles(1.5 * 2 ** 52), // from where on a float64 holds its integer part in its lowest bits
    ),
  ]
  return {
    name: 'encode',
    params: 5,
    v128Locals: 9,
    body: [
      set(scale, load64Splat(get(range), 0)),
      set(most, load64Splat(get(range), 8)),
      set(least, f64Negate(get(most))),
      set(weights, splat(get(weight))),
      doWhile(
        [
          set(four, load(get(delta), 0)),
          set(random, load(get(words), 0)),
          set(first, rounded(get(four), get(random))),
          set(four, rounded(upper(get(four)), upper(get(random)))),
          store(get(words), 0, multiply(shuffle(EVEN_WORDS, get(first), get(four)), get(weights))),
          set(delta, i32Add(get(delta), i32(16))),
          set(words, i32Add(get(words), i32(16))),
        ],
        countDown(quads),
      ),
    ],
  }
}

const EVEN_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]
const UPPER_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]
const upper = (four: Code): Code => shuffle(UPPER_HALF, four, four)
