import type { Strategy } from '../strategies/strategy.ts'
import { type ContractCase, expectCode, expectThat, firstDifference } from './contract.ts'

const SIZE = 257
const ROUNDS = 4

/** What every `Strategy` must do. `makeStrategy` gives a new instance of the implementation under test. */
export function strategyContract<State>(makeStrategy: () => Strategy<State>): readonly ContractCase[] {
  return [
    {
      name: 'gives the same weights for the same rounds, bit by bit',
      run() {
        expectSame(afterRounds(makeStrategy()), afterRounds(makeStrategy()), 'two instances')
      },
    },
    {
      name: 'changes none of its arguments: a round applied again gives the same',
      run() {
        const strategy = makeStrategy()
        const [weights, gradient] = [vector(1), vector(2)]
        const first = strategy.apply(weights, gradient, strategy.init(SIZE))
        const before = first.weights.slice()
        const second = strategy.apply(first.weights, gradient, first.state)
        const again = strategy.apply(first.weights, gradient, first.state)
        expectSame(second.weights, again.weights, 'the second application from one state')
        expectSame(first.weights, before, 'the weights of the round before')
        expectSame(weights, vector(1), 'the weights given')
        expectSame(gradient, vector(2), 'the pseudo-gradient given')
      },
    },
    {
      name: 'returns weights of the same length in an array of their own',
      run() {
        const strategy = makeStrategy()
        const [weights, gradient] = [vector(1), vector(2)]
        const result = strategy.apply(weights, gradient, strategy.init(SIZE))
        expectThat(result.weights.length === SIZE, `${SIZE} weights, got ${result.weights.length}`)
        expectThat(result.weights.buffer !== weights.buffer, 'new weights do not lie in the old ones')
        expectThat(result.weights.buffer !== gradient.buffer, 'new weights do not lie in the pseudo-gradient')
      },
    },
    {
      name: 'leaves the weights as they are when the first pseudo-gradient is zero',
      run() {
        const strategy = makeStrategy()
        const { weights } = strategy.apply(vector(1), new Float32Array(SIZE), strategy.init(SIZE))
        expectSame(weights, vector(1), 'weights after a zero pseudo-gradient')
      },
    },
    {
      name: 'moves each weight in the direction of the first pseudo-gradient',
      run() {
        const strategy = makeStrategy()
        const [weights, gradient] = [vector(1), vector(2)]
        const moved = strategy.apply(weights, gradient, strategy.init(SIZE)).weights
        const along = moved.every((value, i) => Math.sign(value - (weights[i] as number)) === Math.sign(gradient[i] as number))
        expectThat(along, 'every weight moves along its pseudo-gradient')
      },
    },
    {
      name: 'refuses a pseudo-gradient of another length',
      run() {
        const strategy = makeStrategy()
        for (const length of [0, SIZE - 1, SIZE + 1]) {
          expectCode('FL_UPDATE_SHAPE', () => strategy.apply(vector(1), new Float32Array(length), strategy.init(SIZE)))
        }
      },
    },
  ]
}

/** Values from -0.5 to 0.5, none of them zero, which differ from `seed` to `seed`. */
function vector(seed: number): Float32Array {
  return Float32Array.from({ length: SIZE }, (_, i) => (((i * 37 + seed * 101) % SIZE) + 0.5) / SIZE - 0.5)
}

function afterRounds<State>(strategy: Strategy<State>): Float32Array {
  let weights = vector(1)
  let state = strategy.init(SIZE)
  for (let round = 0; round < ROUNDS; round++) {
    const result = strategy.apply(weights, vector(2 + round), state)
    weights = new Float32Array(result.weights)
    state = result.state
  }
  return weights
}

function expectSame(got: Float32Array, expected: Float32Array, what: string): void {
  const at = firstDifference(got, expected)
  expectThat(at === -1, `${what}: value ${at} is ${expected[at]}, got ${got[at]}`)
}
