/** Which rows of a data set each client has; one pair of arrays, whatever the number of clients, on shared memory. */
export class Partition {
  readonly clients: number
  readonly #rows: Int32Array
  /** Where each client's rows begin in `#rows`, and where the last one's end. */
  readonly #offsets: Int32Array

  /** `parts`: the rows of each client. */
  constructor(parts: readonly ArrayLike<number>[]) {
    this.clients = parts.length
    this.#offsets = new Int32Array(parts.length + 1)
    for (const [client, part] of parts.entries()) this.#offsets[client + 1] = (this.#offsets[client] as number) + part.length
    this.#rows = new Int32Array(new SharedArrayBuffer(4 * (this.#offsets[parts.length] as number)))
    for (const [client, part] of parts.entries()) this.#rows.set(part, this.#offsets[client])
  }

  /** A view of the rows of one client. */
  rowsOf(client: number): Int32Array {
    return this.#rows.subarray(this.#offsets[client], this.#offsets[client + 1])
  }

  sizeOf(client: number): number {
    return (this.#offsets[client + 1] as number) - (this.#offsets[client] as number)
  }

  /** All rows, client after client. */
  get rows(): Int32Array {
    return this.#rows
  }

  /** The examples of each class that a client has. */
  labelCounts(client: number, labels: Int32Array, classes: number): number[] {
    const counts = new Array<number>(classes).fill(0)
    for (const row of this.rowsOf(client)) counts[labels[row] as number] = (counts[labels[row] as number] as number) + 1
    return counts
  }
}
