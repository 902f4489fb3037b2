/** What a command does with its options and arguments; resolves with the exit code. */
export type Action = (options: Record<string, unknown>, args: readonly string[]) => Promise<number>
