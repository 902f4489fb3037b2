/** One plot of a report. */
export interface Figure {
  /** Of its files. */
  readonly name: string
  readonly title: string
  /** What is to be seen, in a sentence. */
  readonly caption: string
  readonly svg: string
}
